package qtfs.udsproxy;

import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What a proxy is told at its start; what is not told has a default. Immutable. */
public final class ProxyConfig {
  public static final int MAX_THREADS = 64;

  /** The deployed daemon refuses privileged ports. */
  public static final int MIN_PORT = 1024;

  public static final int MAX_PORT = 65535;
  public static final Path DEFAULT_RUN_DIRECTORY = Path.of("/var/run/qtfs");
  public static final Path DEFAULT_WHITELIST = Path.of("/etc/qtfs/whitelist");

  private final int threads;
  private final Endpoint address;
  private final Endpoint peer;
  private final Path runDirectory;
  private final Path whitelist;
  private final boolean anySocket;
  private final boolean anyFile;
  private final Deadlines deadlines;
  private final Dialect dialect;
  private final List<Exposure> exposures;
  private final Limits limits;
  private final @Nullable InetSocketAddress metrics;
  private final Duration closeTimeout;
  private final boolean watched;

  private final @Nullable TlsConfig tls;

  private ProxyConfig(Builder builder) {
    this.threads = builder.threads;
    this.address = builder.address;
    this.peer = builder.peer;
    this.runDirectory = builder.runDirectory;
    this.whitelist = builder.whitelist;
    this.anySocket = builder.anySocket;
    this.anyFile = builder.anyFile;
    this.deadlines = builder.deadlines;
    this.dialect = builder.dialect;
    this.exposures = List.copyOf(builder.exposures);
    this.limits = builder.limits;
    this.metrics = builder.metrics;
    this.closeTimeout = builder.closeTimeout;
    this.watched = builder.watched;
    this.tls = builder.tls;
  }

  /**
   * A configuration of defaults for two addresses.
   *
   * @param address where the peer's proxy connects to
   * @param peer the other proxy, over the same transport; only its host may connect
   */
  public static Builder between(Endpoint address, Endpoint peer) {
    return new Builder(address, peer);
  }

  /** The same over TCP, with resolved addresses. */
  public static Builder between(InetSocketAddress address, InetSocketAddress peer) {
    return between(new Endpoint.Tcp(address), new Endpoint.Tcp(peer));
  }

  /** Event loops, 1 to {@link #MAX_THREADS}. */
  public int threads() {
    return threads;
  }

  public Endpoint address() {
    return address;
  }

  public Endpoint peer() {
    return peer;
  }

  /** Of the sockets for local applications. */
  public Path runDirectory() {
    return runDirectory;
  }

  /** File of what the peer may reach here; missing means nothing. */
  public Path whitelist() {
    return whitelist;
  }

  /** Whether the peer reaches sockets that are not listed. */
  public boolean anySocket() {
    return anySocket;
  }

  /** Whether the peer reaches files that are not listed. */
  public boolean anyFile() {
    return anyFile;
  }

  /** For others to act. */
  public Deadlines deadlines() {
    return deadlines;
  }

  /** The most that is spoken with the peer; a deployed daemon is always spoken to in v1. */
  public Dialect dialect() {
    return dialect;
  }

  /** The peer's sockets that local ones lead to from the start. */
  public List<Exposure> exposures() {
    return exposures;
  }

  /** How much it takes on. */
  public Limits limits() {
    return limits;
  }

  /** Where metrics are shown besides the unix socket; null for nowhere. */
  public @Nullable InetSocketAddress metrics() {
    return metrics;
  }

  /** How long sessions may go on after SIGTERM. */
  public Duration closeTimeout() {
    return closeTimeout;
  }

  /** The files whose change is a reload. */
  public List<Path> watchedFiles() {
    List<Path> files = new ArrayList<>();
    if (watched) {
      files.add(whitelist);
      tls().map(TlsConfig::files).ifPresent(files::addAll);
    }
    return files;
  }

  /** What secures the link; empty for none. */
  public Optional<TlsConfig> tls() {
    return Optional.ofNullable(tls);
  }

  /** Collects what differs from the defaults. */
  public static final class Builder {
    private final Endpoint address;
    private final Endpoint peer;
    private int threads = 1;
    private Path runDirectory = DEFAULT_RUN_DIRECTORY;
    private Path whitelist = DEFAULT_WHITELIST;
    private boolean anySocket;
    private boolean anyFile;
    private Deadlines deadlines = Deadlines.DEFAULT;
    private Dialect dialect = Dialect.EXTENDED;
    private List<Exposure> exposures = List.of();
    private Limits limits = Limits.DEFAULT;
    private @Nullable InetSocketAddress metrics;
    private Duration closeTimeout = Duration.ZERO;
    private boolean watched = true;
    private @Nullable TlsConfig tls;

    private Builder(Endpoint address, Endpoint peer) {
      this.address = address;
      this.peer = peer;
    }

    public Builder threads(int number) {
      threads = number;
      return this;
    }

    public Builder runDirectory(Path directory) {
      runDirectory = directory;
      return this;
    }

    public Builder whitelist(Path file) {
      whitelist = file;
      return this;
    }

    public Builder anySocket(boolean any) {
      anySocket = any;
      return this;
    }

    public Builder anyFile(boolean any) {
      anyFile = any;
      return this;
    }

    public Builder deadlines(Deadlines times) {
      deadlines = times;
      return this;
    }

    public Builder dialect(Dialect most) {
      dialect = most;
      return this;
    }

    public Builder exposures(List<Exposure> sockets) {
      exposures = sockets;
      return this;
    }

    public Builder limits(Limits most) {
      limits = most;
      return this;
    }

    public Builder metrics(@Nullable InetSocketAddress address) {
      metrics = address;
      return this;
    }

    public Builder closeTimeout(Duration time) {
      closeTimeout = time;
      return this;
    }

    public Builder tls(TlsConfig files) {
      tls = files;
      return this;
    }

    public Builder watched(boolean watch) {
      watched = watch;
      return this;
    }

    public ProxyConfig build() {
      return new ProxyConfig(this);
    }
  }
}
