package qtfs.udsproxy.metrics;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** What any process shows, under the names that are usual for it, and which build this is. */
public final class ProcessMetrics {
  private ProcessMetrics() {}

  /** Adds what can be had: out of descriptors, proc cannot be read. */
  public static void addTo(MetricsPage page) {
    page.info("qtfs_build_info", "Which build this is", "version", version());
    addDescriptors(page);
    page.gauge(
        "process_resident_memory_bytes", "Memory that is in RAM", 1024 * kilobytes("VmRSS:"));
    ProcessHandle.Info info = ProcessHandle.current().info();
    info.startInstant()
        .ifPresent(
            start ->
                page.gauge(
                    "process_start_time_seconds",
                    "When the process started, in Unix time",
                    start.toEpochMilli() / 1e3));
    info.totalCpuDuration()
        .ifPresent(
            used ->
                page.counter(
                    "process_cpu_seconds_total", "Processor time used", used.toMillis() / 1e3));
  }

  private static String version() {
    String version = ProcessMetrics.class.getPackage().getImplementationVersion();
    return version == null ? "unknown" : version;
  }

  private static void addDescriptors(MetricsPage page) {
    try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"))) {
      long others = open.count() - 1; // without the one that lists them
      page.gauge("process_open_fds", "Open file descriptors", others);
    } catch (IOException outOfDescriptors) {
      page.gauge("process_open_fds", "Open file descriptors", Double.NaN);
    }
    page.gauge(
        "process_max_fds",
        "File descriptors that may be open",
        number("/proc/self/limits", "Max open files"));
  }

  private static double kilobytes(String name) {
    return number("/proc/self/status", name);
  }

  /**
   * A number in a line of a file in proc that begins with a name; not-a-number if there is none.
   */
  private static double number(String file, String name) {
    try (Stream<String> lines = Files.lines(Path.of(file))) {
      return lines
          .filter(line -> line.startsWith(name))
          .map(line -> line.substring(name.length()).strip().split("\\s+")[0])
          .filter(text -> text.matches("[0-9]+"))
          .mapToDouble(Double::parseDouble)
          .findFirst()
          .orElse(Double.NaN);
    } catch (IOException outOfDescriptors) {
      return Double.NaN;
    }
  }
}
