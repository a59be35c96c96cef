package qtfs.whitelist;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.regex.Pattern;

/** The values that keys of our own files have: lists separated, and perhaps ended, by {@code ;}. */
final class Keys {
  /** What an item must look like, and that in words. */
  record Form(Pattern pattern, String inWords) {}

  static final Form USER =
      new Form(
          Pattern.compile("[A-Za-z_][A-Za-z0-9_.-]{0,31}\\$?|[0-9]{1,9}"),
          "the name or number of a user");
  static final Form UID =
      new Form(Pattern.compile("[0-9]{1,9}"), "the number of a user: id -u NAME tells it");
  static final Form SHA256 =
      new Form(Pattern.compile("[0-9a-fA-F]{64}"), "what sha256sum prints, 64 digits");
  private static final Form VARIABLE =
      new Form(
          Pattern.compile("[A-Za-z_][A-Za-z0-9_]*\\*?|\\*"),
          "the name of a variable, or its beginning and *");

  private Keys() {}

  /** An item and the column of its first byte. */
  record Item(String text, int column) {}

  /** The items, escapes and all; of a value without a byte none. */
  static List<Item> split(KeyFile.Value value) {
    List<Item> items = new ArrayList<>();
    String bytes = value.bytes();
    int start = 0;
    for (int i = 0; i < bytes.length(); i++) {
      if (bytes.charAt(i) == ';') {
        items.add(new Item(bytes.substring(start, i), value.column() + start));
        start = i + 1;
      } else if (bytes.charAt(i) == '\\') {
        i++;
      }
    }
    if (start < bytes.length()) {
      items.add(new Item(bytes.substring(start), value.column() + start));
    }
    return items;
  }

  /** An item without the escapes of the list. */
  static String unescape(String item) {
    StringBuilder out = new StringBuilder(item.length());
    for (int i = 0; i < item.length(); i++) {
      char c = item.charAt(i);
      if (c == '\\' && i + 1 < item.length()) {
        char next = item.charAt(++i);
        // The other escapes are the pattern's.
        out.append(next == ';' ? "" : "\\").append(next);
      } else {
        out.append(c);
      }
    }
    return out.toString();
  }

  /** The items that have the form; the others are problems, and so is a list without any. */
  static List<String> names(SectionFile.Key key, Form form, Problems problems) {
    List<String> names = new ArrayList<>();
    List<Item> items = split(key.value());
    if (items.isEmpty()) {
      problems.add(
          key.line(), key.start(), key.name() + " is empty: remove it, or name " + form.inWords());
    }
    for (Item item : items) {
      String text = item.text().strip();
      if (form.pattern().matcher(text).matches()) {
        names.add(text);
      } else {
        problems.add(
            key.line(),
            item.column(),
            key.name() + " takes " + form.inWords() + ", not " + Utf8.show(text));
      }
    }
    return names;
  }

  static NameSet variables(SectionFile.Key key, Problems problems) {
    return new NameSet(new LinkedHashSet<>(names(key, VARIABLE, problems)));
  }
}
