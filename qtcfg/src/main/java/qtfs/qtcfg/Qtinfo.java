package qtfs.qtcfg;

import picocli.CommandLine.Model.CommandSpec;

/** {@code qtinfo}: shows what the kernel module and the proxy of this host do. */
public final class Qtinfo {
  private Qtinfo() {}

  /** The words that the program understands, for manual pages and completions. */
  public static CommandSpec commandSpec() {
    return QtinfoCommands.spec();
  }

  /** The single letters that it understands, as the C program's help has them. */
  public static String letters() {
    return Tool.QTINFO.usage(Tool.QTINFO.word(), Role.SERVER);
  }

  public static void main(String[] args) {
    new Program(Tool.QTINFO).runAndExit(args);
  }
}
