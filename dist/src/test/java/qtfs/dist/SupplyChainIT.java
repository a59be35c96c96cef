package qtfs.dist;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Everything that the image ships is in its bill of materials, and has its licence beside it. */
final class SupplyChainIT {
  private static final Path IMAGE =
      Path.of(Objects.requireNonNull(System.getProperty("qtfs.image")));
  private static final Path DOCUMENTS = IMAGE.resolve("share/doc/qtfs");

  @BeforeAll
  static void need() {
    TwoHosts.skipUnless(
        Files.exists(DOCUMENTS.resolve("qtfs.cdx.json")),
        "the image has no bill of materials: build without -o (--offline)");
  }

  @Test
  void namesEveryJarWithVersionAndLicence() throws Exception {
    Map<String, Map<?, ?>> components = components();
    List<String> jars = files("lib", ".jar");
    assertThat(jars).hasSizeGreaterThan(15).contains("rexec.jar", "netty-common.jar");
    for (String jar : jars) {
      String name = jar.replaceFirst("\\.jar$", "");
      assertThat(components).as("%s", components.keySet()).containsKey(name);
      Map<?, ?> component = Objects.requireNonNull(components.get(name));
      assertThat(component.get("version")).as("%s", component).isNotNull();
      assertThat(component.get("licenses")).as("%s", component).asString().contains("Apache-2.0");
    }
  }

  @Test
  void namesEveryNativeLibraryByItsContent() throws Exception {
    Map<String, Map<?, ?>> components = components();
    Stream<String> libraries =
        Stream.concat(
            files("lib", ".so").stream().map(name -> "lib/" + name),
            files("lib/native", ".so").stream().map(name -> "lib/native/" + name));
    for (String library : libraries.toList()) {
      assertThat(components).containsKey(library);
      assertThat(String.valueOf(components.get(library)))
          .contains(ImageFiles.sha256(IMAGE.resolve(library)));
    }
    assertThat(components.containsKey("lib/runtime"))
        .isEqualTo(Files.exists(IMAGE.resolve("lib/runtime")));
  }

  @Test
  void listsNothingForOtherPlatforms() throws Exception {
    String foreign = System.getProperty("os.arch").equals("aarch64") ? "x86_64" : "aarch_64";
    assertThat(Files.readString(DOCUMENTS.resolve("qtfs.cdx.json")))
        .contains("\"bomFormat\" : \"CycloneDX\"")
        .doesNotContain("classifier=linux-" + foreign + "&");
    assertThat(components().values())
        .noneMatch(each -> String.valueOf(each).contains("linux-" + foreign));
  }

  @Test
  void hasALicenceTextForEveryJarAndLibrary() throws Exception {
    for (String jar : files("lib", ".jar")) {
      Path text =
          DOCUMENTS.resolve("licenses").resolve(jar.replaceFirst("\\.jar$", "")).resolve("LICENSE");
      assertThat(text).isNotEmptyFile();
    }
    for (String artifact :
        List.of(
            "junixsocket-native-common",
            "netty-tcnative-boringssl-static",
            "netty-transport-native-epoll")) {
      assertThat(DOCUMENTS.resolve("licenses").resolve(artifact).resolve("LICENSE"))
          .isNotEmptyFile();
    }
    assertThat(IMAGE.resolve("LICENSE")).isNotEmptyFile();
    if (Files.exists(IMAGE.resolve("lib/runtime"))) {
      assertThat(IMAGE.resolve("lib/runtime/legal/java.base/LICENSE")).isNotEmptyFile();
    }
  }

  private static Map<String, Map<?, ?>> components() throws Exception {
    Map<?, ?> document = (Map<?, ?>) Json.read(DOCUMENTS.resolve("qtfs.cdx.json"));
    List<?> components = (List<?>) Objects.requireNonNull(document.get("components"));
    return components.stream()
        .<Map<?, ?>>map(each -> (Map<?, ?>) each)
        .collect(Collectors.toMap(each -> String.valueOf(each.get("name")), each -> each));
  }

  private static List<String> files(String directory, String suffix) throws Exception {
    try (Stream<Path> files = Files.list(IMAGE.resolve(directory))) {
      Set<String> names =
          files.map(file -> file.getFileName().toString()).collect(Collectors.toSet());
      return names.stream().filter(name -> name.endsWith(suffix)).sorted().toList();
    }
  }
}
