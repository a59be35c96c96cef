package qtfs.rexec;

import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * What must not be left behind when this process ends, whichever thread ends it: closed the other
 * way round, once. Safe from any thread.
 */
final class Leftovers implements Closeable {
  private final List<Closeable> all = new ArrayList<>();

  synchronized void add(Closeable one) {
    all.add(one);
  }

  @Override
  public synchronized void close() {
    while (!all.isEmpty()) {
      try {
        all.remove(all.size() - 1).close();
      } catch (IOException e) {
        // The process ends: there is nothing better to do about it.
      }
    }
  }
}
