package io.kvorum.server.backup;

import com.google.gson.JsonObject;
import io.kvorum.server.backup.repository.BackupException;
import io.kvorum.server.backup.repository.BackupException.Reason;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import picocli.CommandLine.Option;

/**
 * How a command tells what came of it: for people, and as one JSON object of at most 4 KiB (what Kubernetes keeps of a termination message) on the last line of standard output and in a file.
 *
 * <p>Exit codes: 0 done; 1 failed; 2 wrong usage; 3 a delta cannot go on; 4 content is not what it should be.
 */
public final class ResultOptions {
  static final int FAILED = 1;
  static final int USAGE = 2;
  static final int GAP = 3;
  static final int DIFFERS = 4;
  private static final int MESSAGE_CHARS_MAX = 1_500;

  @Option(names = "--json", description = "the last line of the output is the result as a JSON object")
  private boolean json;

  @Option(names = "--result-file", description = "where the same object is written, also on failure")
  private Path file;

  /** What a command does. */
  @FunctionalInterface
  public interface Work {
    /**
     * @return the fields of the result
     * @throws IllegalArgumentException for options that do not fit together
     */
    JsonObject run() throws IOException;
  }

  /**
   * Runs it and tells.
   *
   * @param command its name in the result
   * @return the exit code
   */
  public int run(String command, PrintStream out, PrintStream err, Work work) {
    JsonObject result = new JsonObject();
    int code = 0;
    try {
      JsonObject fields = work.run();
      result.addProperty("ok", true);
      result.addProperty("command", command);
      fields.entrySet().forEach(field -> result.add(field.getKey(), field.getValue()));
    } catch (BackupException failed) {
      code = code(failed.reason());
      fail(result, command, failed.reason(), failed.getMessage());
    } catch (IllegalArgumentException usage) {
      code = USAGE;
      fail(result, command, Reason.FAILED, usage.getMessage());
    } catch (NoSuchFileException missing) {
      code = FAILED;
      fail(result, command, Reason.FAILED, "there is no " + missing.getMessage());
    } catch (IOException | RuntimeException failed) {
      code = FAILED;
      fail(result, command, Reason.FAILED, failed.getMessage() == null ? failed.toString() : failed.getMessage());
    }
    if (code != 0) {
      err.println(command + ": " + result.get("message").getAsString());
    }
    return tell(result, out, err, command) ? code : Math.max(code, FAILED);
  }

  private boolean tell(JsonObject result, PrintStream out, PrintStream err, String command) {
    if (json) {
      out.println(result);
    }
    try {
      if (file != null) {
        // In place: it may be a device, or a file that somebody waits for by its node.
        Files.write(file, result.toString().getBytes(StandardCharsets.UTF_8), StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE);
      }
      return true;
    } catch (IOException e) {
      err.println(command + ": cannot write the result to " + file + ": " + e.getMessage());
      return false;
    }
  }

  /** Whether people read the output. */
  boolean forPeople() {
    return !json;
  }

  private static int code(Reason reason) {
    return switch (reason) {
      case DELTA_GAP -> GAP;
      case CONTENT_CORRUPT, HASH_MISMATCH -> DIFFERS;
      case SOURCE_UNAVAILABLE, DESTINATION_UNAVAILABLE, WRONG_KEY, NOT_FOUND, IN_USE, FAILED -> FAILED;
    };
  }

  private static void fail(JsonObject result, String command, Reason reason, String message) {
    result.addProperty("ok", false);
    result.addProperty("command", command);
    result.addProperty("reason", reason.word());
    String text = String.valueOf(message);
    result.addProperty("message", text.length() > MESSAGE_CHARS_MAX ? text.substring(0, MESSAGE_CHARS_MAX) : text);
  }
}
