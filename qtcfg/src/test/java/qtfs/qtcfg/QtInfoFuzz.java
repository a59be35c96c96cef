package qtfs.qtcfg;

import java.util.Arrays;

/**
 * Fuzz target: whatever a kernel module fills its {@code struct qtinfo} with, it can be shown in
 * every way there is.
 *
 * <pre>
 * 0  role, bit 0   1  the structure, zeros behind what there is
 * </pre>
 */
public final class QtInfoFuzz {
  private QtInfoFuzz() {}

  /** Called by the fuzzer, and for each kept input by {@link FuzzCorpusTest}. */
  public static void fuzzerTestOneInput(byte[] input) {
    if (input.length == 0) {
      return;
    }
    Role role = (input[0] & 1) == 0 ? Role.CLIENT : Role.SERVER;
    QtInfo info = QtInfo.decode(role, Arrays.copyOfRange(input, 1, 1 + QtInfo.size(role)));
    boolean complete =
        info.states().size() == QtInfo.CONNECTIONS
            && info.holders().size() == QtInfo.CONNECTIONS
            && info.sent().size() == QtInfo.EVENT_TYPES;
    boolean shown =
        InfoText.all(info).contains("Log level: ")
            && InfoText.sizes(info).contains(" rsp: ")
            && StatsTable.lines(info).size() > 2;
    if (!complete || !shown) {
      throw new AssertionError(info);
    }
  }
}
