// One round of rate-limiter-flexible in memory, awaited call by call as a server does. See
// ../../compare.sh for what is measured.
'use strict';

const { RateLimiterMemory } = require('rate-limiter-flexible');

const kBatchSize = 256;

class Round {
  constructor(count) {
    this.count = count;
    this.limiter = new RateLimiterMemory({ points: 1e12, duration: 3600 });
    this.state = 1;
    this.texts = Buffer.alloc(21 * count);
    for (let i = 0; i < count; ++i) {
      this.texts.write(`user:${String(i).padStart(9, '0')}:basket`, 21 * i, 'latin1');
    }
  }

  // A key, evenly, as a new string.
  draw() {
    this.state ^= this.state << 13;
    this.state ^= this.state >>> 17;
    this.state ^= this.state << 5;
    return this.key(Math.floor(((this.state >>> 0) / 2 ** 32) * this.count));
  }

  key(i) {
    return this.texts.latin1Slice(21 * i, 21 * (i + 1));
  }

  async bringAll() {
    for (let i = 0; i < this.count; ++i) await this.limiter.consume(this.key(i));
  }

  // ns a decision over a span of decisions. A denial is thrown.
  async timeFor(spanNs) {
    const batch = new Array(kBatchSize);
    let spent = 0;
    let decisions = 0;
    while (spent < spanNs) {
      for (let i = 0; i < kBatchSize; ++i) batch[i] = this.draw();
      const start = process.hrtime.bigint();
      for (const key of batch) await this.limiter.consume(key);
      spent += Number(process.hrtime.bigint() - start);
      decisions += kBatchSize;
    }
    return spent / decisions;
  }
}

async function main() {
  for (const [name, count] of [['hot', 1], ['1k', 1e3], ['1M', 1e6]]) {
    const round = new Round(count);
    await round.bringAll();
    await round.timeFor(5e8); // until it is compiled
    console.log(`${name} ${(await round.timeFor(5e8)).toFixed(1)}`);
  }
  process.exit(0); // it keeps a timer for every key
}

main();
