// One round of rate-limiter-flexible with ioredis. See ../../compare.sh for what is measured.
'use strict';

const Redis = require('ioredis');
const { RateLimiterRedis } = require('rate-limiter-flexible');

const kOutstanding = 64;
const kKeys = 1000;

const storeClient = new Redis({ host: '127.0.0.1', port: Number(process.argv[2]) });
const limiter = new RateLimiterRedis({ storeClient, points: 1e12, duration: 3600 });
const latencies = []; // us

// A denial is thrown.
async function ask(caller, start) {
  let since = performance.now();
  for (let i = caller * 16; since < start + 1000; ++i) {
    await limiter.consume(`user:${String(i % kKeys).padStart(9, '0')}:basket`);
    const now = performance.now();
    if (since >= start) latencies.push((now - since) * 1000);
    since = now;
  }
}

async function main() {
  await storeClient.ping();
  const start = performance.now() + 500;
  await Promise.all(Array.from({ length: kOutstanding }, (_, i) => ask(i, start)));
  latencies.sort((a, b) => a - b);
  const at = (share) => latencies[Math.floor(latencies.length * share)].toFixed(1);
  console.log(`decision ${(1e6 / latencies.length).toFixed(2)}\np50 ${at(0.5)}\np99 ${at(0.99)}`);
  process.exit(0);
}

main();
