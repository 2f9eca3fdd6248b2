package io.kvorum.server.config;

import java.util.List;

/** The syntax of Go's flag package: {@code -name v}, {@code --name=v}, bare booleans, {@code --} ends the flags. */
final class FlagParser {
  private final FlagTable table;

  FlagParser(FlagTable table) {
    this.table = table;
  }

  /** The command line cannot be understood; the usage is shown. */
  static final class UsageException extends Exception {
    private static final long serialVersionUID = 1L;

    UsageException(String message) {
      super(message);
    }
  }

  /** -h, -help. */
  static final class HelpException extends Exception {
    private static final long serialVersionUID = 1L;
  }

  /**
   * Reads the flags into {@code values}.
   *
   * @return what is left behind the flags
   */
  List<String> parse(List<String> arguments, FlagValues values) throws UsageException, HelpException {
    int i = 0;
    while (i < arguments.size()) {
      String argument = arguments.get(i);
      if (argument.length() < 2 || argument.charAt(0) != '-') {
        break;
      }
      i++;
      if (argument.equals("--")) {
        break;
      }
      String name = argument.substring(argument.startsWith("--") ? 2 : 1);
      if (name.isEmpty() || name.charAt(0) == '-' || name.charAt(0) == '=') {
        throw new UsageException("bad flag syntax: " + argument);
      }
      int equals = name.indexOf('=');
      String value = equals < 0 ? null : name.substring(equals + 1);
      name = equals < 0 ? name : name.substring(0, equals);
      Flag flag = table.get(name);
      if (flag == null) {
        if (name.equals("help") || name.equals("h")) {
          throw new HelpException();
        }
        throw new UsageException("flag provided but not defined: -" + name);
      }
      if (value == null) {
        if (flag.mayBeBare()) {
          value = "true";
        } else if (i < arguments.size()) {
          value = arguments.get(i++);
        } else {
          throw new UsageException("flag needs an argument: -" + name);
        }
      }
      set(values, flag, value);
    }
    return arguments.subList(i, arguments.size());
  }

  private static void set(FlagValues values, Flag flag, String value) throws UsageException {
    try {
      values.set(flag, value);
    } catch (IllegalArgumentException e) {
      String what = flag.kind() == Flag.Kind.BOOL ? "invalid boolean value " : "invalid value ";
      String where = flag.kind() == Flag.Kind.BOOL ? " for -" : " for flag -";
      throw new UsageException(what + GoSyntax.quote(value) + where + flag.name() + ": " + e.getMessage());
    }
  }
}
