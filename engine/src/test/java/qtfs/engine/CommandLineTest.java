package qtfs.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the program makes of its arguments, before it serves. */
final class CommandLineTest {
  private static final int FAILED = 255;

  @TempDir Path directory;
  private Host host;

  @BeforeEach
  void load() throws IOException {
    host = Host.in(directory);
  }

  private EngineProcess run(String... arguments) throws Exception {
    return EngineProcess.start(host.kernel(), List.of(arguments));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          0 1 127.0.0.1 2048 127.0.0.1 2049     | <threads> is "0", must be a number from 1 to 16
          17 1 127.0.0.1 2048 127.0.0.1 2049    | <threads> is "17", must be a number from 1 to 16
          4x 1 127.0.0.1 2048 127.0.0.1 2049    | <threads> is "4x", must be a number from 1 to 16
          16 0 127.0.0.1 2048 127.0.0.1 2049    | <uds threads> is "0", must be a number from 1 to 64
          16 1 127.0.0.1 1023 127.0.0.1 2049    | <port> is "1023", must be a number from 1024 to 65535
          16 1 127.0.0.1 2048 127.0.0.1 65536   | <peerport> is "65536", must be a number from 1024
          16 1 127.0.0.1 2048 2 2049            | <addr> is "127.0.0.1" and <peeraddr> is "2": give
          16 1 nowhere.invalid 2048 ::1 2049    | neither an address nor a known host
          """)
  void oneLineSaysWhichIsWrong(String arguments, String said) throws Exception {
    try (EngineProcess engine = run(arguments.split(" "))) {
      assertThat(engine.exitCode()).isEqualTo(FAILED);
      assertThat(engine.said()).hasLineCount(1).startsWith("engine: ").contains(said);
    }
    assertThat(host.kernel().log()).isEmpty();
  }

  @Test
  void argumentsThatAreMissingAreToldWithTheUsage() throws Exception {
    try (EngineProcess engine = run("16", "1")) {
      assertThat(engine.exitCode()).isEqualTo(FAILED);
      assertThat(engine.said()).startsWith("engine: Missing required").contains("Usage: engine");
    }
  }

  @Test
  void helpIsNoFailure() throws Exception {
    try (EngineProcess engine = run("--help")) {
      assertThat(engine.exitCode()).isZero();
      assertThat(engine.said())
          .contains("Usage: engine", "engine 16 1 10.0.0.1 12121 10.0.0.2 12121", "--check");
    }
  }

  @Test
  void aRunDirectoryThatIsNoneIsTold() throws Exception {
    Files.writeString(host.run(), "a file");
    try (EngineProcess engine = host.start(1)) {
      assertThat(engine.exitCode()).isEqualTo(FAILED);
      assertThat(engine.said())
          .hasLineCount(1)
          .contains("the run directory " + host.run() + " is no directory");
    }
    assertThat(host.kernel().log()).isEmpty();
  }

  private EngineProcess check() throws Exception {
    List<String> arguments = new ArrayList<>(host.arguments(16));
    arguments.add("--check");
    return run(arguments.toArray(String[]::new));
  }

  @Test
  void aCheckTouchesNothing() throws Exception {
    try (EngineProcess engine = host.start(1).ready();
        EngineProcess check = check()) {
      assertThat(check.exitCode()).as(check.said()).isZero();
      assertThat(check.said()).isEmpty();
      assertThat(host.kernel().log("EXIT")).hasSize(1);
      assertThat(host.kernel().log("EPFDSET")).hasSize(1);
      engine.signal("TERM");
      assertThat(engine.exitCode()).isZero();
    }
  }

  @Test
  void aCheckTellsAllThatIsWrong() throws Exception {
    Files.writeString(host.whitelist(), "[Mount]\nPath=srv\n");
    Files.setPosixFilePermissions(host.whitelist(), PosixFilePermissions.fromString("rw-rw-rw-"));
    Files.delete(directory.resolve("server"));
    try (EngineProcess check = check()) {
      assertThat(check.exitCode()).isEqualTo(FAILED);
      assertThat(check.said().lines())
          .hasSize(3)
          .anyMatch(line -> line.contains("is writable by group or others"))
          .anyMatch(line -> line.contains(":2:6: "))
          .anyMatch(line -> line.contains("/dev/qtfs_server is not there"));
    }
  }

  @Test
  void aCheckWantsAnAddressOfThisHost() throws Exception {
    List<String> arguments = new ArrayList<>(host.arguments(16));
    arguments.set(4, "192.0.2.1"); // RFC 5737: nobody's
    arguments.add("--check");
    try (EngineProcess check = run(arguments.toArray(String[]::new))) {
      assertThat(check.exitCode()).isEqualTo(FAILED);
      assertThat(check.said())
          .isEqualTo(
              "engine: cannot listen on 192.0.2.1: Cannot assign requested address; give an address"
                  + " of this host's own\n");
    }
  }

  @Test
  void anotherDeviceCanBeNamed() throws Exception {
    List<String> arguments = new ArrayList<>(host.arguments(16));
    arguments.add("--device=" + directory.resolve("none"));
    try (EngineProcess engine = run(arguments.toArray(String[]::new))) {
      assertThat(engine.exitCode()).isEqualTo(FAILED);
      assertThat(engine.said()).contains(directory.resolve("none") + " is not there");
    }
  }
}
