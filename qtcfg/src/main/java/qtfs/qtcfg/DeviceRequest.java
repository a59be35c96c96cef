package qtfs.qtcfg;

/** The requests of the devices' ioctl: {@code _IO('Q', n)}, which is {@code 0x5100 + n}. */
public final class DeviceRequest {
  public static final int THREAD_INIT = 0x5100;
  public static final int THREAD_RUN = 0x5101;
  public static final int EPFDSET = 0x5102;
  public static final int EPOLL_THREAD_INIT = 0x5103;
  public static final int EPOLL_THREAD_RUN = 0x5104;

  /** By value, 1 to start serving and 0 to stop. Both empty every list of the server. */
  public static final int EXIT = 0x5105;

  public static final int ALLINFO = 0x5106;
  public static final int CLEARALL = 0x5107;
  public static final int LOGLEVEL = 0x5108;
  public static final int EPOLL_SUPPORT = 0x5109;
  public static final int WL_ADD = 0x510a;
  public static final int WL_DEL = 0x510b;
  public static final int WL_GET = 0x510c;

  private DeviceRequest() {}
}
