package qtfs.qtcfg;

/** {@code qtinfo}: shows what the kernel module and the proxy of this host do. */
public final class Qtinfo {
  private Qtinfo() {}

  public static void main(String[] args) {
    new Program(Tool.QTINFO).runAndExit(args);
  }
}
