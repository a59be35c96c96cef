package qtfs.dist;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import qtfs.dist.TwoHosts.Host;
import qtfs.testing.Await;

/**
 * QEMU on B is what it is for a manager on A: started there, told through its monitor what to do,
 * given descriptors, moved between processors and ended.
 */
final class QemuIT {
  private static final String QEMU = "/usr/bin/qemu-system-x86_64";
  private static final String KILL = "/bin/kill";
  private static final String TASKSET = "/usr/bin/taskset";

  @AutoClose private static TwoHosts hosts;

  @BeforeAll
  static void up() throws Exception {
    Programs.need(QEMU, "qemu-system-x86");
    hosts = TwoHosts.up(QEMU, KILL, TASKSET);
  }

  /** A machine without hardware, stopped, whose monitor listens at a path. */
  private static String[] qemu(String socket) {
    return new String[] {
      QEMU,
      "-machine",
      "none",
      "-display",
      "none",
      "-nodefaults",
      "-S",
      "-qmp",
      "unix:" + socket + ",server=on,wait=off",
      "-pidfile",
      socket + ".pid"
    };
  }

  private static void assertEnded(Running qemu) throws Exception {
    Running.Result result = qemu.result();
    assertThat(result.code()).as("QEMU: %s", result).isZero();
  }

  private static Running.Result qmp(Way way, String... args) throws Exception {
    Programs.needPython("socket", "python3");
    List<String> command = new ArrayList<>(List.of(Programs.PYTHON, Programs.script("qmp.py")));
    command.addAll(List.of(args));
    return way.run(hosts, "exec \"$@\"", command.toArray(String[]::new));
  }

  @ParameterizedTest
  @EnumSource
  void savesItsStateToAPassedPipe(Way way) throws Exception {
    String socket = "/run/pipe-" + way + ".sock";
    Running qemu = hosts.startServer(Host.B, List.of(qemu(socket)), socket);
    Running.Result result = qmp(way, way.open(hosts, socket));
    assertThat(result.output().lines())
        .as("%s", result)
        .containsExactly("status: prelaunch", "state: QEVM", "migration: completed");
    assertEnded(qemu);
  }

  @ParameterizedTest
  @EnumSource
  void savesItsStateToAPassedFile(Way way) throws Exception {
    String socket = "/run/file-" + way + ".sock";
    Path file = Files.createFile(hosts.shared().resolve("state-" + way));
    Running qemu = hosts.startServer(Host.B, List.of(qemu(socket)), socket);
    Running.Result result = qmp(way, way.open(hosts, socket), file.toString());
    assertThat(result.output().lines())
        .as("%s", result)
        .containsExactly("status: prelaunch", "migration: completed");
    assertThat(new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1))
        .startsWith("QEVM");
    assertEnded(qemu);
  }

  /** The deployed use: libvirt on A starts QEMU, and talks to its monitor. */
  @ParameterizedTest
  @EnumSource
  void startedByRexecItIsReachedThroughItsMonitor(Way way) throws Exception {
    String socket = "/run/rexec-" + way + ".sock";
    Running rexec = startByRexec(socket);
    Running.Result result = qmp(way, way.open(hosts, socket));
    assertThat(result.output()).as("%s", result).contains("migration: completed");
    assertEnded(rexec);
  }

  @Test
  void isFoundByThePidFileToBeMovedAndKilled() throws Exception {
    Running rexec = startByRexec("/run/kill.sock");
    Path pidFile = hosts.file(Host.A, "/run/rexec/pids/" + rexec.pid());
    String pid = Files.readString(pidFile).strip();
    assertThat(hosts.sh(Host.B, "cat /run/kill.sock.pid").output().strip())
        .as("the pid that QEMU itself tells")
        .isEqualTo(pid);
    Running.Result moved = hosts.rexec(TASKSET, "-cp", "0", pid);
    assertThat(moved.code()).as("%s", moved).isZero();
    assertThat(hosts.sh(Host.B, "grep Cpus_allowed_list /proc/$1/status", pid).output())
        .isEqualTo("Cpus_allowed_list:\t0\n");
    Running.Result killed = hosts.rexec(KILL, pid);
    assertThat(killed.code()).as("%s", killed).isZero();
    Running.Result result = rexec.result();
    assertThat(result.code()).as("%s", result).isZero();
    assertThat(result.stderr()).as("%s", result).contains("terminating on signal 15");
    assertThat(pidFile).doesNotExist();
  }

  private static Running startByRexec(String socket) throws Exception {
    Running rexec = hosts.startRexec(qemu(socket));
    Await.until(
        "QEMU listens",
        () -> {
          assertThat(rexec.process().isAlive()).as("says: %s", rexec.errors()).isTrue();
          return Files.exists(hosts.file(Host.B, socket));
        });
    return rexec;
  }
}
