package io.kvorum.operator.status;

import java.util.List;

/** Rows of text as a table in a terminal. */
public final class TextTable {
  private TextTable() {}

  /** Columns as wide as their widest cell, two spaces apart, one line a row; all rows have as many cells as the first. */
  public static String render(List<List<String>> rows) {
    int[] width = new int[rows.getFirst().size()];
    for (List<String> row : rows) {
      for (int i = 0; i < width.length; i++) {
        width[i] = Math.max(width[i], row.get(i).length());
      }
    }
    StringBuilder table = new StringBuilder();
    for (List<String> row : rows) {
      StringBuilder line = new StringBuilder();
      for (int i = 0; i < width.length; i++) {
        line.append(row.get(i)).repeat(' ', width[i] - row.get(i).length() + 2);
      }
      table.append(line.toString().stripTrailing()).append('\n');
    }
    return table.toString();
  }
}
