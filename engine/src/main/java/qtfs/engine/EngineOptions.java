package qtfs.engine;

import java.nio.file.Path;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;
import qtfs.qtcfg.Role;
import qtfs.udsproxy.ProxyOptions;
import qtfs.udsproxy.StartException;

/** The command line: threads of the engine, then what {@link ProxyOptions} are about. */
final class EngineOptions {
  private static final String THREADS = "threads";
  private static final String DEVICE = "--device";
  private static final ProxyOptions PROXY = new ProxyOptions("uds threads", 1);

  private EngineOptions() {}

  static CommandSpec spec() {
    CommandSpec spec = CommandSpec.create().name("engine").mixinStandardHelpOptions(true);
    spec.version("engine " + version());
    spec.usageMessage()
        .header(
            "Serves the qtfs client of another host with this host's files, and connects unix",
            "sockets between the two.",
            "",
            "On the host 10.0.0.1 whose client is 10.0.0.2:",
            "  engine 16 1 10.0.0.1 12121 10.0.0.2 12121",
            "")
        .footer("SIGHUP reads the whitelist again, SIGTERM stops it.");
    spec.addOption(
        ProxyOptions.path(
            DEVICE, "FILE", "the module's device (default " + Role.SERVER.devicePath() + ")"));
    spec.addPositional(
        ProxyOptions.positional(
            0, THREADS, "threads that serve the client, 1 to " + EngineConfig.MAX_THREADS));
    PROXY.addTo(spec);
    return spec;
  }

  private static String version() {
    String version = EngineOptions.class.getPackage().getImplementationVersion();
    return version == null ? "(not installed)" : version;
  }

  static EngineConfig config(ParseResult parsed) throws StartException {
    return new EngineConfig(
        ProxyOptions.number(parsed, 0, THREADS, 1, EngineConfig.MAX_THREADS),
        ProxyOptions.optionalPath(parsed, DEVICE, Path.of(Role.SERVER.devicePath())),
        PROXY.read(parsed));
  }
}
