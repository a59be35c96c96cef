package qtfs.dist;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The build step that writes what is in an install image and under which licences: {@code
 * share/doc/qtfs/qtfs.cdx.json}, and a directory of licence texts for each jar and native library.
 *
 * <p>Starts from the bill of materials that was made of Maven's dependencies, leaves out what is
 * for other platforms, and adds the files that Maven does not know. Fails the build where a file
 * has no component, or a component no licence whose text is at hand.
 */
final class SupplyChain {
  private static final Pattern LICENCE_TEXT =
      Pattern.compile("META-INF/([^/]*(LICENSE|NOTICE|COPYING)[^/]*|licenses?/.+)");

  /** The artifact that each native library is from, by how its name begins. */
  private static final Map<String, String> NATIVE =
      Map.of(
          "libjunixsocket-native", "junixsocket-native-common",
          "libnetty_transport_native_epoll", "netty-transport-native-epoll",
          "libnetty_tcnative", "netty-tcnative-boringssl-static",
          "libudsproxy", "udsproxy",
          "libqtfscall", "linux");

  private final Path image;
  private final Path documents;

  /** The Apache License 2.0, which the project is under too. */
  private final Path apache;

  private SupplyChain(Path image, Path apache) {
    this.image = image;
    this.documents = image.resolve("share/doc/qtfs");
    this.apache = apache;
  }

  public static void main(String[] args) throws IOException {
    new SupplyChain(Path.of(args[0]), Path.of(args[2])).run(Path.of(args[1]), args[3]);
  }

  private void run(Path bom, String platform) throws IOException {
    Files.copy(apache, image.resolve("LICENSE"), StandardCopyOption.REPLACE_EXISTING);
    ImageFiles.deleteTree(documents.resolve("licenses"));
    if (!Files.exists(bom)) {
      System.err.println(
          "WARNING: the install image has NO BILL OF MATERIALS and no licence texts: Maven makes "
              + bom.getFileName()
              + " only without -o (--offline)");
      Files.deleteIfExists(documents.resolve("qtfs.cdx.json"));
      return;
    }
    Map<String, Object> document = object(Json.read(bom));
    Map<String, Map<String, Object>> known = new TreeMap<>();
    for (Object each : list(document, "components")) {
      Map<String, Object> component = object(each);
      if (isFor(platform, String.valueOf(component.get("purl")))) {
        known.put(String.valueOf(component.get("name")), component);
      }
    }
    List<Object> components = new ArrayList<>(known.values());
    for (Path file : shipped()) {
      String name = file.getFileName().toString();
      Map<String, Object> component = known.get(artifact(name));
      if (component == null) {
        throw new IOException(file + " is of no component in " + bom);
      }
      if (name.endsWith(".so")) {
        components.add(file(file, component));
      }
      licence(file, component);
    }
    if (Files.exists(image.resolve("lib/runtime"))) {
      components.add(runtime());
    }
    document.put("components", components);
    document.put("dependencies", dependencies(document, platform));
    Files.createDirectories(documents);
    Json.write(documents.resolve("qtfs.cdx.json"), document);
  }

  /** Who needs what, without what is for other platforms. */
  private static List<Object> dependencies(Map<String, Object> document, String platform) {
    List<Object> kept = new ArrayList<>();
    for (Object each : list(document, "dependencies")) {
      Map<String, Object> dependency = object(each);
      if (isFor(platform, String.valueOf(dependency.get("ref")))) {
        List<?> on = list(dependency, "dependsOn");
        dependency.put(
            "dependsOn", on.stream().filter(ref -> isFor(platform, String.valueOf(ref))).toList());
        kept.add(dependency);
      }
    }
    return kept;
  }

  private List<Path> shipped() throws IOException {
    try (Stream<Path> jars = Files.list(image.resolve("lib"));
        Stream<Path> libraries = Files.list(image.resolve("lib/native"))) {
      return Stream.concat(jars, libraries)
          .filter(file -> file.toString().endsWith(".jar") || file.toString().endsWith(".so"))
          .sorted()
          .toList();
    }
  }

  private static String artifact(String file) {
    return NATIVE.entrySet().stream()
        .filter(entry -> file.startsWith(entry.getKey()))
        .map(Map.Entry::getValue)
        .findFirst()
        .orElse(file.replaceFirst("\\.jar$", ""));
  }

  private static boolean isFor(String platform, String purl) {
    return !purl.contains("classifier=linux-") || purl.contains("classifier=linux-" + platform);
  }

  /** A native library, which came in a jar that is not shipped itself. */
  private Map<String, Object> file(Path file, Map<String, Object> origin) throws IOException {
    Map<String, Object> component = new LinkedHashMap<>();
    component.put("type", "file");
    component.put("name", image.relativize(file).toString());
    component.put("version", String.valueOf(origin.get("version")));
    component.put("hashes", List.of(Map.of("alg", "SHA-256", "content", ImageFiles.sha256(file))));
    component.put("licenses", list(origin, "licenses"));
    return component;
  }

  private Map<String, Object> runtime() throws IOException {
    Map<String, String> release = new TreeMap<>();
    for (String line : Files.readAllLines(image.resolve("lib/runtime/release"))) {
      String[] parts = line.split("=", 2);
      release.put(parts[0], parts[1].replace("\"", ""));
    }
    Map<String, Object> component = new LinkedHashMap<>();
    component.put("type", "platform");
    component.put("name", "lib/runtime");
    component.put("version", release.getOrDefault("JAVA_RUNTIME_VERSION", "25"));
    component.put("description", "OpenJDK, " + release.get("IMPLEMENTOR_VERSION"));
    component.put(
        "licenses", List.of(Map.of("expression", "GPL-2.0-only WITH Classpath-exception-2.0")));
    return component;
  }

  /** The texts that a jar brings along; of one that brings none, the text of what it is under. */
  private void licence(Path file, Map<String, Object> component) throws IOException {
    Path target = documents.resolve("licenses").resolve(artifact(file.getFileName().toString()));
    Files.createDirectories(target);
    boolean found = false;
    if (file.toString().endsWith(".jar")) {
      try (JarFile jar = new JarFile(file.toFile())) {
        for (JarEntry entry : jar.stream().filter(SupplyChain::isLicenceText).toList()) {
          Path name = target.resolve(Path.of(entry.getName()).getFileName());
          Files.copy(jar.getInputStream(entry), name, StandardCopyOption.REPLACE_EXISTING);
          found |= name.toString().contains("LICENSE");
        }
      }
    }
    if (!found) {
      if (!String.valueOf(component.get("licenses")).contains("Apache-2.0")) {
        throw new IOException(
            file + " brings no licence text and is not under Apache-2.0 alone: " + component);
      }
      Files.copy(apache, target.resolve("LICENSE"), StandardCopyOption.REPLACE_EXISTING);
    }
  }

  private static boolean isLicenceText(JarEntry entry) {
    return !entry.isDirectory() && LICENCE_TEXT.matcher(entry.getName()).matches();
  }

  @SuppressWarnings("unchecked") // as Json.read gives it
  private static Map<String, Object> object(Object value) {
    return (Map<String, Object>) value;
  }

  private static List<?> list(Map<String, Object> object, String name) {
    return object.get(name) instanceof List<?> list ? list : List.of();
  }
}
