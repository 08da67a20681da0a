// One round of x/time/rate: a map of limiters behind a lock for many readers. See ../../compare.sh
// for what is measured.
package main

import (
	"fmt"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const batchSize = 256

type limiters struct {
	mutex sync.RWMutex
	byKey map[string]*rate.Limiter
}

func (l *limiters) allow(key string) bool {
	l.mutex.RLock()
	limiter, found := l.byKey[key]
	l.mutex.RUnlock()
	if !found {
		l.mutex.Lock()
		limiter, found = l.byKey[key]
		if !found {
			limiter = rate.NewLimiter(1e6, 1e12)
			l.byKey[key] = limiter
		}
		l.mutex.Unlock()
	}
	return limiter.Allow()
}

// draw gives numbers below a bound, evenly.
type draw struct {
	state, bound uint32
}

func (d *draw) next() uint32 {
	d.state ^= d.state << 13
	d.state ^= d.state >> 17
	d.state ^= d.state << 5
	return uint32(uint64(d.state) * uint64(d.bound) >> 32)
}

// timeFor gives ns a decision over span of decisions.
func timeFor(span time.Duration, l *limiters, texts [][]byte, draw *draw) float64 {
	var spent time.Duration
	decisions, denied := 0, 0
	batch := make([]string, batchSize)
	for spent < span {
		for i := range batch {
			batch[i] = string(texts[draw.next()])
		}
		start := time.Now()
		for _, key := range batch {
			if !l.allow(key) {
				denied++
			}
		}
		spent += time.Since(start)
		decisions += batchSize
	}
	if denied != 0 {
		panic("a call was denied")
	}
	return float64(spent.Nanoseconds()) / float64(decisions)
}

func main() {
	for _, set := range []struct {
		name  string
		count uint32
	}{{"hot", 1}, {"1k", 1_000}, {"1M", 1_000_000}} {
		l := &limiters{byKey: map[string]*rate.Limiter{}}
		texts := make([][]byte, set.count)
		for i := range texts {
			texts[i] = []byte(fmt.Sprintf("user:%09d:basket", i))
			l.allow(string(texts[i]))
		}
		draw := &draw{2463534242, set.count}
		timeFor(300*time.Millisecond, l, texts, draw)
		fmt.Printf("%s %.1f\n", set.name, timeFor(500*time.Millisecond, l, texts, draw))
	}
}
