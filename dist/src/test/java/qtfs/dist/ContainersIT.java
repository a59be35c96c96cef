package qtfs.dist;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import qtfs.dist.TwoHosts.Host;

/**
 * The clients of Docker and containerd on A work with daemons whose only sockets are on B.
 *
 * <p>Both clients are static programs, so the sockets are exposed. What a container runs ends by
 * itself: it is in namespaces of its own, where the end of the hosts does not find it.
 */
final class ContainersIT {
  private static final String DOCKER = "/run/docker.sock";
  private static final String CONTAINERD = "/run/containerd/containerd.sock";
  private static final int LARGE = 8_000_000;

  /** As control groups are the machine's. */
  private static final long PID = ProcessHandle.current().pid();

  private static final String BOX = "box-" + PID;

  /** An image of busybox alone as an archive that both load, and the same unpacked. */
  private static final String IMAGE =
      """
      set -e
      cd "$1"
      mkdir -p rootfs/bin archive
      cp "$(command -v busybox)" rootfs/bin/busybox
      for name in sh cat echo sleep sha256sum uname true; do ln -s busybox rootfs/bin/$name; done
      tar -C rootfs -cf archive/layer.tar .
      layer=$(sha256sum <archive/layer.tar)
      printf '{"architecture":"%s","os":"linux","config":{"Cmd":["/bin/sh"]},
        "rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' "$2" "${layer%% *}" >archive/config.json
      printf '[{"Config":"config.json","RepoTags":["tiny:latest"],"Layers":["layer.tar"]}]' \\
        >archive/manifest.json
      tar -C archive -cf image.tar manifest.json config.json layer.tar
      head -c "$3" /dev/urandom >large
      """;

  @AutoClose private static TwoHosts hosts;
  private static Path directory;

  @BeforeAll
  static void up() throws Exception {
    Programs.need("busybox", "busybox-static");
    hosts = TwoHosts.bare();
    directory = hosts.shared();
    hosts.write(Host.A, "/etc/qtfs/whitelist", "");
    hosts.write(Host.B, "/etc/qtfs/whitelist", "[Udsaccept]\nPath=" + DOCKER + ";" + CONTAINERD);
    hosts.startProxies();
    String architecture = System.getProperty("os.arch").replace("aarch64", "arm64");
    Command.succeed(IMAGE, directory, architecture, LARGE);
  }

  private static void expose(String socket) throws Exception {
    Files.createDirectories(Objects.requireNonNull(hosts.file(Host.A, socket).getParent()));
    succeed(hosts.program("udsproxyd") + " ctl expose " + socket);
  }

  private static Running.Result sh(String script) throws IOException, InterruptedException {
    return hosts.sh(Host.A, script, directory.toString());
  }

  private static String succeed(String script) throws IOException, InterruptedException {
    Running.Result result = sh(script);
    assertThat(result.code()).as("%s: %s", script, result).isZero();
    return result.output();
  }

  /** Streams are attached by a connection that is not HTTP any more, and ended one way. */
  @Test
  void dockerLoadsAnImageAndIsAttachedToItsContainers() throws Exception {
    Programs.need("docker", "docker.io");
    Programs.need("dockerd", "docker.io");
    startDocker();
    expose(DOCKER);
    assertThat(succeed("docker version --format '{{.Server.Os}}'")).isEqualTo("linux\n");
    assertThat(succeed("docker load <\"$1/image.tar\"")).contains("tiny:latest");
    Running.Result result =
        sh("docker run --rm --network host tiny sh -c 'uname -n; echo wrong >&2; exit 7'");
    assertThat(result.code()).as("%s", result).isEqualTo(7);
    assertThat(result.output()).isEqualTo("hostB\n");
    assertThat(result.stderr()).isEqualTo("wrong\n");
    String sum = succeed("sha256sum <\"$1/large\"");
    assertThat(succeed("docker run --rm -i --network host tiny sha256sum <\"$1/large\""))
        .isEqualTo(sum);
    assertThat(succeed("docker run --rm -i --network host tiny cat <\"$1/large\" | sha256sum"))
        .isEqualTo(sum);
    succeed("docker run -d --name box --network host tiny sleep 60");
    assertThat(succeed("docker ps --format '{{.Names}}'")).isEqualTo("box\n");
    assertThat(succeed("echo to the box | docker exec -i box cat")).isEqualTo("to the box\n");
    succeed("docker cp \"$1/large\" box:/large");
    assertThat(succeed("docker exec -i box sh -c 'sha256sum </large'")).isEqualTo(sum);
    succeed("docker rm -f box");
  }

  private static void startDocker() throws Exception {
    hosts.startServer(
        Host.B,
        List.of(
            "dockerd",
            "--storage-driver=vfs",
            "--iptables=false",
            "--ip6tables=false",
            "--bridge=none",
            "--data-root=/run/docker-data",
            "--exec-root=/run/docker-exec",
            "--pidfile=/run/docker.pid",
            "--host=unix://" + DOCKER),
        DOCKER);
  }

  /** Images go through the socket; a container's streams are FIFOs, which the daemon opens. */
  @Test
  void containerdIsGivenAnImageAndRunsContainers() throws Exception {
    Programs.need("containerd", "containerd runc");
    Programs.need("runc", "containerd runc");
    hosts.startServer(Host.B, List.of("containerd", "--root=/run/containerd-data"), CONTAINERD);
    expose(CONTAINERD);
    assertThat(ctr("version")).contains("Server:");
    ctr("images import --snapshotter native \"$1/image.tar\"");
    assertThat(ctr("images ls -q")).contains("tiny:latest");
    assertThat(run("--null-io", "exit 7").code()).isEqualTo(7);
    run("--log-uri \"file://$1/log\"", "uname -n");
    assertThat(directory.resolve("log")).hasContent("hostB");

    mountOnBoth("/run/containerd/fifo");
    Running.Result attached = run("", "uname -n; echo wrong >&2; exit 7");
    assertThat(attached.code()).as("%s", attached).isEqualTo(7);
    assertThat(attached.output()).isEqualTo("hostB\n");
    assertThat(attached.stderr()).isEqualTo("wrong\n");
    ctr("run -d --null-io --net-host --rootfs \"$1/rootfs\" " + BOX + " /bin/sleep 60");
    assertThat(ctr("tasks ls -q")).isEqualTo(BOX + "\n");
    assertThat(succeed("sha256sum <\"$1/large\""))
        .isEqualTo(ctr("tasks exec --exec-id in " + BOX + " /bin/sha256sum <\"$1/large\""));
    ctr("tasks rm -f " + BOX);
    ctr("containers rm " + BOX);
  }

  private static String ctr(String words) throws IOException, InterruptedException {
    return succeed(command(words));
  }

  private static String command(String words) {
    return "exec ctr -n qtfs-it " + words;
  }

  private static Running.Result run(String options, String script)
      throws IOException, InterruptedException {
    return sh(
        command(
            "run --rm --net-host "
                + options
                + " --rootfs \"$1/rootfs\" once-"
                + PID
                + " /bin/sh -c '"
                + script
                + "'"));
  }

  /** What the kernel module's mount would be: here one directory that both see. */
  private static void mountOnBoth(String path) throws Exception {
    String shared = Files.createDirectory(directory.resolve("fifo")).toString();
    for (Host host : Host.values()) {
      Running.Result result =
          hosts.sh(host, "mkdir -p \"$2\" && mount --bind \"$1\" \"$2\"", shared, path);
      assertThat(result.code()).as("%s", result).isZero();
    }
  }
}
