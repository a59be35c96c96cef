package qtfs.dist;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import qtfs.dist.TwoHosts.Host;
import qtfs.testing.Await;

/** PostgreSQL's own programs work against a server whose only socket is on the other host. */
final class PostgresIT {
  private static final String DIRECTORY = "/run/pg";
  private static final String SOCKET = DIRECTORY + "/.s.PGSQL.5432";
  private static final int CLIENTS = 8;
  private static final int TRANSACTIONS = 25;

  /** As the user postgres, since the server refuses to be root. */
  private static final String SERVER =
      """
      set -e
      PATH=$PATH:$(echo /usr/lib/postgresql/*/bin | tr ' ' :)
      install -d -o postgres /run/pgdata "$1"
      cd /run/pgdata
      postgres() { setpriv --reuid postgres --regid postgres --clear-groups "$@"; }
      postgres initdb -D . -A trust --no-sync --no-locale -E UTF8
      postgres postgres -D . -k "$1" -c listen_addresses= -c fsync=off -c shared_buffers=16MB
      """;

  @AutoClose private static TwoHosts hosts;

  @BeforeAll
  static void up() throws Exception {
    Programs.need("/usr/lib/postgresql/*/bin/postgres", "postgresql");
    Programs.need("pgbench", "postgresql");
    hosts = TwoHosts.up();
    Running server = hosts.startSh(Host.B, SERVER, DIRECTORY);
    Await.until(
        "the server takes connections",
        () -> {
          assertThat(server.process().isAlive()).as("says: %s", server.errors()).isTrue();
          return psql(Host.B, DIRECTORY, "SELECT 1").code() == 0;
        });
  }

  private static Running.Result psql(Host host, String directory, String sql) throws Exception {
    return hosts.sh(host, "exec psql -h \"$1\" -U postgres -Atc \"$2\"", directory, sql);
  }

  /** Opens the way; returns the directory that PostgreSQL's programs take for an address. */
  private static String open(Way way) throws Exception {
    String socket = way.open(hosts, SOCKET);
    return socket.substring(0, socket.lastIndexOf('/'));
  }

  private static void assertDone(Running.Result result) {
    assertThat(result.code()).as("%s", result).isZero();
    assertThat(result.stderr()).as("%s", result).doesNotContain("rror");
  }

  @ParameterizedTest
  @EnumSource
  void pgbenchFillsTheTablesAndBalancesThem(Way way) throws Exception {
    String directory = open(way);
    assertDone(way.run(hosts, "exec pgbench -h \"$1\" -U postgres -i -q postgres", directory));
    String command =
        "exec pgbench -h \"$1\" -U postgres -n -j 2 -c %d -t %d postgres"
            .formatted(CLIENTS, TRANSACTIONS);
    Running.Result result = way.run(hosts, command, directory);
    assertDone(result);
    assertThat(result.output()).as("%s", result).contains("failed transactions: 0 ");
    String sums =
        "SELECT count(*), sum(delta) - (SELECT sum(abalance) FROM pgbench_accounts)"
            + " FROM pgbench_history";
    assertThat(psql(Host.B, DIRECTORY, sums).output()).isEqualTo(CLIENTS * TRANSACTIONS + "|0\n");
  }

  @ParameterizedTest
  @EnumSource
  void eachTransactionMayHaveAConnectionOfItsOwn(Way way) throws Exception {
    Running.Result result =
        way.run(
            hosts,
            "echo 'SELECT 1;' > \"$2\"; exec pgbench -h \"$1\" -U postgres -n -C -c 4 -t 10 -f \"$2\" postgres",
            open(way),
            hosts.shared().resolve("select").toString());
    assertDone(result);
    assertThat(result.output()).as("%s", result).contains("processed: 40/40");
  }

  /** psql connects once more for it, in its signal handler. */
  @ParameterizedTest
  @EnumSource
  void anInterruptedStatementIsCancelled(Way way) throws Exception {
    String sql = "SELECT pg_sleep(600) /* " + way + " */";
    Running psql = way.start(hosts, "exec psql -h \"$1\" -U postgres -Atc \"$2\"", open(way), sql);
    String running =
        "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query = '%s'"
            .formatted(sql);
    Await.until(
        "the statement runs", () -> psql(Host.B, DIRECTORY, running).output().equals("1\n"));
    psql.signal("INT");
    Running.Result result = psql.result();
    assertThat(result.code()).as("%s", result).isOne();
    assertThat(result.stderr())
        .as("%s", result)
        .contains("Cancel request sent", "canceling statement due to user request");
    List<String> still = psql(Host.B, DIRECTORY, running).output().lines().toList();
    assertThat(still).containsExactly("0");
  }
}
