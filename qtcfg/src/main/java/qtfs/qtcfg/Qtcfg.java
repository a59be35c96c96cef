package qtfs.qtcfg;

import picocli.CommandLine.Model.CommandSpec;

/** {@code qtcfg}: shows and changes the lists of the kernel module. */
public final class Qtcfg {
  private Qtcfg() {}

  /** The words that the program understands, for manual pages and completions. */
  public static CommandSpec commandSpec() {
    return QtcfgCommands.spec();
  }

  /** The single letters that it understands, as the C program's help has them. */
  public static String letters() {
    return Tool.QTCFG.usage(Tool.QTCFG.word(), Role.SERVER);
  }

  public static void main(String[] args) {
    new Program(Tool.QTCFG).runAndExit(args);
  }
}
