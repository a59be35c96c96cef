package qtfs.qtcfg;

import java.io.IOException;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import qtfs.linux.Fd;

/**
 * What a kernel module counts, as of one ALLINFO, for a program that has its device open. Events
 * have the names that {@code qtinfo} shows. The counters are 0 again after {@code qtinfo -c}.
 *
 * @param faulty requests (server) or responses (client) that did not pass the module's check
 * @param threads how many of the module's connections are in which state
 * @param usable connections that can be used
 * @param busy those of them that are in use
 */
public record ModuleCounters(
    Map<String, Long> received,
    Map<String, Long> sent,
    Map<String, Long> faulty,
    Map<String, Long> threads,
    long active,
    long epollAdded,
    long epollDeleted,
    int usable,
    int busy) {
  /**
   * Asks the module; any thread.
   *
   * @param fd of its device, which stays the caller's
   * @throws IOException if it does not answer, or is of another version
   */
  public static ModuleCounters read(Fd fd, Role role, Path path) throws IOException {
    try {
      return of(Device.of(fd, role, path.toString()).info());
    } catch (Device.RefusedException | Device.OtherVersionException e) {
      throw new IOException(e.getMessage(), e);
    }
  }

  private static ModuleCounters of(QtInfo info) {
    return new ModuleCounters(
        byEvent(info.received()),
        byEvent(info.sent()),
        byEvent(info.check()),
        byState(info.states()),
        info.counters().active(),
        info.counters().epollAdded(),
        info.counters().epollDeleted(),
        info.valid(),
        info.busy());
  }

  private static Map<String, Long> byEvent(List<Long> counts) {
    Map<String, Long> named = new LinkedHashMap<>();
    for (int i = 0; i < QtInfo.EVENTS.size(); i++) {
      named.put(QtInfo.EVENTS.get(i), counts.get(i));
    }
    return named;
  }

  private static Map<String, Long> byState(List<QtInfo.State> states) {
    Map<QtInfo.State, Long> counts = new EnumMap<>(QtInfo.State.class);
    for (QtInfo.State state : QtInfo.State.values()) {
      counts.put(state, states.stream().filter(state::equals).count());
    }
    Map<String, Long> named = new LinkedHashMap<>();
    counts.forEach((state, count) -> named.put(state.name().toLowerCase(Locale.ROOT), count));
    return named;
  }
}
