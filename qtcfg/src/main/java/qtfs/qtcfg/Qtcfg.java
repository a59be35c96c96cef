package qtfs.qtcfg;

/** {@code qtcfg}: shows and changes the lists of the kernel module. */
public final class Qtcfg {
  private Qtcfg() {}

  public static void main(String[] args) {
    new Program(Tool.QTCFG).runAndExit(args);
  }
}
