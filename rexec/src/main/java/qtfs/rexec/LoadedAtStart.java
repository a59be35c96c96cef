package qtfs.rexec;

import java.util.List;
import qtfs.linux.Audit;
import qtfs.linux.ChildProcess;
import qtfs.linux.ExitStatus;
import qtfs.linux.FileStatus;
import qtfs.linux.MessageIo;
import qtfs.linux.Pipe;
import qtfs.linux.Poll;
import qtfs.linux.ProcessGroup;
import qtfs.linux.Spawn;
import qtfs.linux.UnixSocket;

/**
 * What the first requests need beyond what the start itself has used. Named here, it is loaded
 * before they come: a process that is out of descriptors cannot open the file that a class is in,
 * and the JVM does not try again.
 */
final class LoadedAtStart {
  static final List<Class<?>> CLASSES =
      List.of(
          Admission.class,
          Asked.class,
          ChildEnvironment.class,
          Command.class,
          Decision.Allowed.class,
          Decision.Refused.class,
          Explanation.class,
          ExplainWish.class,
          FilesJson.class,
          InheritedFile.class,
          Message.Exec.class,
          Message.Handshake.class,
          Message.Kill.class,
          Message.PidMap.class,
          Message.PipeMessage.class,
          Message.Resize.class,
          Message.Signal.class,
          MessageChannel.Received.class,
          MessageCodec.class,
          OpenedProgram.class,
          Program.class,
          ProgramRecord.class,
          ProgramTerminal.class,
          ProtocolException.class,
          ReopenedFiles.class,
          Request.class,
          RequestAudit.class,
          RunAs.class,
          Session.class,
          Supervision.class,
          Supervision.Outcome.class,
          Wishes.class,
          WishesJson.class,
          Audit.class,
          ChildProcess.class,
          ExitStatus.Exited.class,
          ExitStatus.Killed.class,
          FileStatus.class,
          MessageIo.class,
          Pipe.class,
          Poll.class,
          ProcessGroup.class,
          Spawn.Held.class,
          UnixSocket.Credentials.class);

  private LoadedAtStart() {}
}
