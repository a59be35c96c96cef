package qtfs.engine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import qtfs.qtcfg.Role;
import qtfs.testing.Ports;

/**
 * What an engine runs on: a module that is loaded, a whitelist with an entry for each group, and a
 * free port.
 *
 * @param peerPort where nobody listens, unless the test does
 */
record Host(Path directory, SimulatedServer kernel, Path whitelist, int port, int peerPort) {
  static Host in(Path directory) throws IOException {
    return new Host(
        directory,
        SimulatedServer.load(directory),
        Files.writeString(directory.resolve("whitelist"), everyGroup("/srv")),
        Ports.free(),
        Ports.free());
  }

  /** One entry for each of the module's groups. */
  static String everyGroup(String path) {
    return Role.SERVER.groups().stream()
        .map(group -> "[" + group.title() + "]\nPath=" + path + "\n")
        .collect(Collectors.joining());
  }

  Path run() {
    return directory.resolve("run");
  }

  List<String> arguments(int threads) {
    return List.of(
        "--run-dir=" + run(),
        "--whitelist=" + whitelist,
        Integer.toString(threads),
        "1",
        "127.0.0.1",
        Integer.toString(port),
        "127.0.0.1",
        Integer.toString(peerPort));
  }

  EngineProcess start(int threads, String... options) throws Exception {
    List<String> all = new ArrayList<>(List.of(options));
    all.addAll(arguments(threads));
    return EngineProcess.start(kernel, all, Map.of());
  }

  EngineProcess start(int threads, Map<String, String> environment) throws Exception {
    return EngineProcess.start(kernel, arguments(threads), environment);
  }
}
