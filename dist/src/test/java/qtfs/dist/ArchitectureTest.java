package qtfs.dist;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;

/** The arrows between the modules: who may know whom, and what is done in one place only. */
final class ArchitectureTest {
  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .importPackages("qtfs");

  private static final String CONNECTOR = "qtfs.udsproxy.connector..";
  private static final String METRICS = "qtfs.udsproxy.metrics..";

  private static DescribedPredicate<JavaClass> ours(DescribedPredicate<JavaClass> but) {
    return resideInAPackage("qtfs..").and(not(but));
  }

  @Test
  void everyModuleIsSeen() {
    assertThat(CLASSES)
        .extracting(JavaClass::getPackageName)
        .contains(
            "qtfs.linux",
            "qtfs.whitelist",
            "qtfs.udsproxy",
            "qtfs.udsproxy.connector",
            "qtfs.rexec",
            "qtfs.qtcfg",
            "qtfs.engine");
  }

  @Test
  void linuxKnowsNobody() {
    noClasses()
        .that()
        .resideInAPackage("qtfs.linux..")
        .should()
        .dependOnClassesThat(ours(resideInAPackage("qtfs.linux..")))
        .check(CLASSES);
  }

  @Test
  void whitelistKnowsNobody() {
    noClasses()
        .that()
        .resideInAPackage("qtfs.whitelist..")
        .should()
        .dependOnClassesThat(
            not(resideInAnyPackage("qtfs.whitelist..", "java..", "org.jspecify..")))
        .check(CLASSES);
  }

  @Test
  void udsproxyKnowsLinuxAndWhitelist() {
    noClasses()
        .that()
        .resideInAPackage("qtfs.udsproxy..")
        .should()
        .dependOnClassesThat(
            ours(resideInAnyPackage("qtfs.udsproxy..", "qtfs.linux..", "qtfs.whitelist..")))
        .check(CLASSES);
  }

  @Test
  void rexecKnowsLinuxWhitelistTheConnectorAndMetrics() {
    noClasses()
        .that()
        .resideInAPackage("qtfs.rexec..")
        .should()
        .dependOnClassesThat(
            ours(
                resideInAnyPackage(
                    "qtfs.rexec..", "qtfs.linux..", "qtfs.whitelist..", CONNECTOR, METRICS)))
        .check(CLASSES);
  }

  @Test
  void qtcfgKnowsLinuxAndWhitelist() {
    noClasses()
        .that()
        .resideInAPackage("qtfs.qtcfg..")
        .should()
        .dependOnClassesThat(
            ours(resideInAnyPackage("qtfs.qtcfg..", "qtfs.linux..", "qtfs.whitelist..")))
        .check(CLASSES);
  }

  @Test
  void engineKnowsAllButRexecAndOnlyTheImageKnowsIt() {
    noClasses()
        .that()
        .resideInAPackage("qtfs.engine..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("qtfs.rexec..", "qtfs.dist..", CONNECTOR)
        .check(CLASSES);
    noClasses()
        .that()
        .resideOutsideOfPackages("qtfs.engine..", "qtfs.dist..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("qtfs.engine..")
        .check(CLASSES);
  }

  /** What rexec loads decides how fast it starts. */
  @Test
  void theConnectorAndMetricsKnowNoProxyAndOnlyTheProxyKnowsNetty() {
    noClasses()
        .that()
        .resideInAPackage(CONNECTOR)
        .should()
        .dependOnClassesThat(ours(resideInAnyPackage(CONNECTOR, "qtfs.linux..")))
        .check(CLASSES);
    noClasses()
        .that()
        .resideInAPackage(METRICS)
        .should()
        .dependOnClassesThat(ours(resideInAnyPackage(METRICS, "qtfs.linux..")))
        .check(CLASSES);
    noClasses()
        .that()
        .resideOutsideOfPackage("qtfs.udsproxy")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("io.netty..")
        .check(CLASSES);
  }

  /** Memory is everybody's; linking functions is what only one module does. */
  @Test
  void nativeFunctionsAreCalledFromLinuxOnly() {
    noClasses()
        .that()
        .resideOutsideOfPackage("qtfs.linux..")
        .should()
        .dependOnClassesThat()
        .belongToAnyOf(Linker.class, SymbolLookup.class, FunctionDescriptor.class)
        .check(CLASSES);
    noClasses()
        .that()
        .resideOutsideOfPackage("qtfs.linux..")
        .should()
        .callMethod(System.class, "load", String.class)
        .orShould()
        .callMethod(System.class, "loadLibrary", String.class)
        .check(CLASSES);
  }

  /** A virtual thread has no name of its own for the kernel: see the connect hook. */
  @Test
  void nobodyStartsVirtualThreads() {
    noClasses()
        .should()
        .callMethod(Thread.class, "ofVirtual")
        .orShould()
        .callMethod(Thread.class, "startVirtualThread", Runnable.class)
        .orShould()
        .callMethod(Executors.class, "newVirtualThreadPerTaskExecutor")
        .check(CLASSES);
  }
}
