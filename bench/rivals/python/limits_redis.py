# One round of limits, a fixed window on Redis, asked by threads. See ../../compare.sh for what is
# measured.
import sys
import threading
import time

from limits import parse, storage, strategies

OUTSTANDING = 64
KEYS = 1000

server = storage.storage_from_string(f"redis://127.0.0.1:{sys.argv[1]}")
limiter = strategies.FixedWindowRateLimiter(server)
limit = parse("1000000000000/hour")


def ask(caller, start, latencies, denied):
    since = time.perf_counter()
    i = caller * 16
    while since < start + 1:
        if not limiter.hit(limit, f"user:{i % KEYS:09d}:basket"):
            denied.append(i)
        now = time.perf_counter()
        if since >= start:
            latencies.append((now - since) * 1e6)
        since = now
        i += 1


def main():
    latencies, denied = [], []
    start = time.perf_counter() + 0.5
    threads = [
        threading.Thread(target=ask, args=(i, start, latencies, denied)) for i in range(OUTSTANDING)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if denied:
        sys.exit("a call was denied")
    latencies.sort()
    print(f"decision {1e6 / len(latencies):.2f}")
    print(f"p50 {latencies[len(latencies) // 2]:.1f}")
    print(f"p99 {latencies[len(latencies) * 99 // 100]:.1f}")


main()
