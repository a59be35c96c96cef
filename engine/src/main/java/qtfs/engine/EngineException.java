package qtfs.engine;

import java.util.List;

/** Why the engine cannot start, or go on: for the operator, with what to do. */
final class EngineException extends Exception {
  private static final long serialVersionUID = 1L;

  EngineException(String message) {
    super(message);
  }

  EngineException(Exception cause) {
    super(cause.getMessage() == null ? cause.toString() : cause.getMessage(), cause);
  }

  /** The message's lines: a whitelist may have more than one fault. */
  List<String> lines() {
    return String.valueOf(getMessage()).lines().toList();
  }
}
