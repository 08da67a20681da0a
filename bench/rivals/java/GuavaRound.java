// One round of Guava's RateLimiter: a concurrent map of limiters. See ../../compare.sh for what is
// measured.
import static java.nio.charset.StandardCharsets.ISO_8859_1;

import com.google.common.util.concurrent.RateLimiter;
import java.util.Locale;
import java.util.concurrent.ConcurrentHashMap;

public class GuavaRound {
  private static final int BATCH_SIZE = 256;
  private static final double PER_SECOND = 1e9; // it saves up one second's permits

  private final ConcurrentHashMap<String, RateLimiter> limiters = new ConcurrentHashMap<>();
  private final byte[][] texts;
  private int state = 1;

  private GuavaRound(int count) {
    texts = new byte[count][];
    for (int i = 0; i < count; ++i) {
      texts[i] = String.format(Locale.ROOT, "user:%09d:basket", i).getBytes(ISO_8859_1);
      allow(new String(texts[i], ISO_8859_1));
    }
  }

  private boolean allow(String key) {
    RateLimiter limiter = limiters.get(key);
    if (limiter == null) {
      limiter = limiters.computeIfAbsent(key, unused -> RateLimiter.create(PER_SECOND));
    }
    return limiter.tryAcquire();
  }

  /** A number below the count of keys, evenly. */
  private int draw() {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (int) ((state & 0xffffffffL) * texts.length >>> 32);
  }

  /** How many of the batch are denied. */
  private int decide(String[] batch) {
    int denied = 0;
    for (String key : batch) {
      if (!allow(key)) {
        ++denied;
      }
    }
    return denied;
  }

  /** ns a decision over {@code spanNs} of decisions. */
  private double timeFor(long spanNs) {
    String[] batch = new String[BATCH_SIZE];
    long spent = 0;
    long decisions = 0;
    long denied = 0;
    while (spent < spanNs) {
      for (int i = 0; i < batch.length; ++i) {
        batch[i] = new String(texts[draw()], ISO_8859_1); // has no hash yet
      }
      long start = System.nanoTime();
      denied += decide(batch);
      spent += System.nanoTime() - start;
      decisions += batch.length;
    }
    if (denied != 0) {
      throw new IllegalStateException("a call was denied");
    }
    return (double) spent / decisions;
  }

  private static void measure(String name, int count) {
    GuavaRound round = new GuavaRound(count);
    round.timeFor(1_000_000_000L); // until it is compiled
    System.out.printf(Locale.ROOT, "%s %.1f%n", name, round.timeFor(500_000_000L));
  }

  public static void main(String[] arguments) {
    measure("hot", 1);
    measure("1k", 1_000);
    measure("1M", 1_000_000);
  }
}
