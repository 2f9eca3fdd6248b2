package io.kvorum.server.process;

import io.grpc.Status;
import io.kvorum.server.base.EtcdError;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** {@code permissions.txt}: every method, and what each kind of caller gets from it. */
final class PermissionTable {
  static final List<String> CALLERS = List.of("nobody", "made-up", "ended", "bare", "reader", "writer", "keeper", "root");

  private static final Pattern BYTES = Pattern.compile("\"@([^\"]*)\"");

  private PermissionTable() {}

  /**
   * One line.
   *
   * @param method full name of the method
   * @param request as JSON, with "@text" for bytes and $C for the caller
   * @param answers one letter for each caller
   * @param through what those get who are let through, null for an answer
   */
  record Row(String method, String request, String answers, String through) {
    boolean isCalledBy(String caller) {
      return letter(caller) != '-';
    }

    private char letter(String caller) {
      return answers.charAt(CALLERS.indexOf(caller));
    }

    /**
     * As JSON alone.
     *
     * @param way apart from the caller's other calls: nobody waits for a lock of his own
     */
    String requestOf(String caller, String way) {
      Matcher bytes = BYTES.matcher(request.replace("$C", caller + way));
      return bytes.replaceAll(text -> '"' + Base64.getEncoder().encodeToString(text.group(1).getBytes(StandardCharsets.UTF_8)) + '"');
    }

    /** Code and text, or "OK". */
    String wanted(String caller) {
      char letter = letter(caller);
      if (letter == '+') {
        return through == null ? "OK" : through;
      }
      EtcdError error =
          switch (Character.toUpperCase(letter)) {
            case 'E' -> EtcdError.USER_NAME_IS_EMPTY;
            case 'T' -> EtcdError.INVALID_AUTH_TOKEN;
            case 'D' -> EtcdError.PERMISSION_DENIED;
            default -> throw new IllegalArgumentException("no such answer: " + letter);
          };
      int code = Character.isLowerCase(letter) ? Status.Code.UNKNOWN.value() : error.status().getCode().value();
      return code + " " + error.text();
    }
  }

  static List<Row> read() throws IOException {
    try (InputStream file = PermissionTable.class.getResourceAsStream("permissions.txt")) {
      String text = new String(file.readAllBytes(), StandardCharsets.UTF_8);
      return text.lines().filter(line -> !line.isBlank() && !line.startsWith("#")).map(PermissionTable::row).toList();
    }
  }

  private static Row row(String line) {
    String[] parts = line.split(" \\| ");
    String method = parts[0].startsWith("!") ? parts[0].substring(1) : parts[0];
    String answers = parts[2].strip();
    if (answers.length() != CALLERS.size()) {
      throw new IllegalArgumentException("not an answer for each caller: " + line);
    }
    return new Row(method.contains(".") ? method : "etcdserverpb." + method, parts[1], answers, parts.length > 3 ? parts[3].strip() : null);
  }
}
