package qtfs.dist;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import qtfs.dist.PoorLink.Weather;
import qtfs.dist.TwoHosts.Host;
import qtfs.testing.Await;

/**
 * Everything that goes wrong on the two hosts, in an order that a seed decides, each thing again
 * and again. For one thread. Between two faults there is a moment in which all is well.
 */
final class ChaosFaults {
  /** What can go wrong. */
  private enum Fault {
    KILLED_PROXY_A,
    KILLED_PROXY_B,
    STOPPED_PROXY_A,
    STOPPED_PROXY_B,
    FROZEN_PROXY_A,
    FROZEN_PROXY_B,
    KILLED_SERVER,
    STOPPED_SERVER,
    KILLED_AGENT,
    STOPPED_AGENT,
    STORM,
    BRIEF_CUT,
    LONG_CUT,
    STRANGERS,
    ALL_AT_ONCE
  }

  static final int LINK_TIMEOUT_SECONDS = 5; // the least that it takes
  private static final List<String> DEADLINES =
      List.of(
          "--link-timeout=" + LINK_TIMEOUT_SECONDS + "s",
          "--handshake-timeout=3s",
          "--pairing-timeout=2s");
  private static final Weather STORM = new Weather(60, 60, 0, 60_000);
  private static final int BRIEF_MILLIS = 900;
  private static final int LONGEST_PEACE_MILLIS = 2_000;

  private final TwoHosts hosts;
  private final Random random;
  private final Path weather;
  private final List<Running> strangers = new ArrayList<>();
  private final List<Running> formerAgents = new ArrayList<>();
  private final List<Running> daemons = new ArrayList<>();
  private final List<String> timeline = new ArrayList<>();
  private final long begun = System.nanoTime();

  ChaosFaults(TwoHosts hosts, Random random) {
    this.hosts = hosts;
    this.random = random;
    this.weather = hosts.shared().resolve("weather");
  }

  /** Starts what is needed; in fair weather. */
  void prepare() throws Exception {
    Weather.FAIR.write(weather);
    PoorLink.between(hosts, weather.toString());
    for (Host host : Host.values()) {
      startProxy(host);
    }
    daemons.add(hosts.startRexecServer());
    daemons.add(hosts.startAgent());
    for (Host host : Host.values()) {
      Running stranger =
          hosts.start(
              host,
              TwoHosts.java(
                  ChaosStranger.class,
                  host.address,
                  host.peer().address,
                  TwoHosts.PORT,
                  ChaosLoad.socket(),
                  Long.toString(random.nextLong())));
      Await.until("a stranger is there", () -> !stranger.output().isEmpty());
      stranger.signal("STOP");
      strangers.add(stranger);
    }
  }

  private void startProxy(Host host) throws Exception {
    List<String> options = new ArrayList<>(DEADLINES);
    if (host == Host.A) {
      options.addAll(ChaosLoad.EXPOSE);
    }
    daemons.add(hosts.startProxy(host, options.toArray(String[]::new)));
  }

  /**
   * Does so for a time; in the end all daemons run, in fair weather, and the strangers are gone.
   */
  void rage(int seconds) throws Exception {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
    List<Fault> next = new ArrayList<>();
    while (System.nanoTime() < end) {
      if (next.isEmpty()) {
        next.addAll(List.of(Fault.values()));
        Collections.shuffle(next, random);
      }
      strike(next.removeFirst());
      pause(100 + random.nextInt(LONGEST_PEACE_MILLIS));
    }
    for (Running stranger : strangers) {
      stranger.signal("KILL");
      stranger.process().waitFor();
    }
    for (Running agent : formerAgents) {
      assertThat(agent.result().code()).as("an agent that was told to end").isZero();
    }
    note("all is well from now on");
  }

  private void strike(Fault fault) throws Exception {
    note(fault.name());
    switch (fault) {
      case KILLED_PROXY_A -> restartProxy(Host.A, "KILL");
      case KILLED_PROXY_B -> restartProxy(Host.B, "KILL");
      case STOPPED_PROXY_A -> restartProxy(Host.A, "TERM");
      case STOPPED_PROXY_B -> restartProxy(Host.B, "TERM");
      case FROZEN_PROXY_A -> freeze(hosts.daemon("udsproxyd on A"), random.nextInt(4_000));
      case FROZEN_PROXY_B -> freeze(hosts.daemon("udsproxyd on B"), random.nextInt(4_000));
      case KILLED_SERVER -> restartServer("KILL");
      case STOPPED_SERVER -> restartServer("TERM");
      case KILLED_AGENT -> killAgent();
      case STOPPED_AGENT -> replaceAgent();
      case STORM -> weather(STORM, 1_000 + random.nextInt(2_000));
      case BRIEF_CUT -> weather(Weather.CUT, random.nextInt(BRIEF_MILLIS));
      case LONG_CUT -> weather(Weather.CUT, LINK_TIMEOUT_SECONDS * 1_000 + random.nextInt(3_000));
      case STRANGERS -> flood(1_000 + random.nextInt(2_000));
      case ALL_AT_ONCE -> allAtOnce();
    }
  }

  private void restartProxy(Host host, String signal) throws Exception {
    end(hosts.daemon("udsproxyd on " + host), signal);
    pause(random.nextInt(BRIEF_MILLIS));
    startProxy(host);
  }

  private void restartServer(String signal) throws Exception {
    end(hosts.daemon("rexec_server"), signal);
    pause(random.nextInt(BRIEF_MILLIS));
    daemons.add(hosts.startRexecServer());
  }

  private void killAgent() throws Exception {
    end(hosts.daemon("rexec_agent"), "KILL");
    pause(random.nextInt(BRIEF_MILLIS));
    daemons.add(hosts.startAgent());
  }

  /** Its calls go on. */
  private void replaceAgent() throws Exception {
    Running agent = hosts.daemon("rexec_agent");
    agent.signal("TERM");
    Await.until(
        "it takes no calls", () -> !Files.exists(hosts.file(Host.A, "/run/rexec/agent.sock")));
    formerAgents.add(agent);
    daemons.add(hosts.startAgent());
  }

  private static void end(Running daemon, String signal) throws Exception {
    daemon.signal(signal);
    Running.Result result = daemon.result();
    assertThat(result.code()).as("%s", result).isIn(0, 128 + 9);
  }

  private void freeze(Running daemon, int millis) throws Exception {
    daemon.signal("STOP");
    pause(millis);
    daemon.signal("CONT");
  }

  private void weather(Weather now, int millis) throws Exception {
    now.write(weather);
    pause(millis);
    Weather.FAIR.write(weather);
  }

  private void flood(int millis) throws Exception {
    for (Running stranger : strangers) {
      stranger.signal("CONT");
    }
    pause(millis);
    for (Running stranger : strangers) {
      stranger.signal("STOP");
    }
  }

  private void allAtOnce() throws Exception {
    STORM.write(weather);
    for (Running stranger : strangers) {
      stranger.signal("CONT");
    }
    restartProxy(random.nextBoolean() ? Host.A : Host.B, "KILL");
    restartServer("KILL");
    flood(random.nextInt(1_000));
    Weather.FAIR.write(weather);
  }

  private static void pause(int millis) {
    LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(millis));
  }

  void note(String what) {
    timeline.add("%8.3f s  %s".formatted((System.nanoTime() - begun) / 1e9, what));
  }

  /** The last that was noted. */
  String last() {
    return timeline.getLast().strip();
  }

  /** What was done when, and what every daemon has said. */
  void keep(Path directory) throws Exception {
    Files.createDirectories(directory);
    Files.write(directory.resolve("timeline.txt"), timeline);
    for (int i = 0; i < daemons.size(); i++) {
      Running daemon = daemons.get(i);
      String name = Path.of(daemon.command().get(5)).getFileName() + "-" + i + ".log";
      Files.writeString(directory.resolve(name), daemon.errors());
    }
  }
}
