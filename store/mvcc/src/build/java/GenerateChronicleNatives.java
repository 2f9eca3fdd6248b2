import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Build step: writes the source of the one class that Chronicle Map would otherwise generate and compile at run time, the off-heap implementation of its file
 * header. With that class on the class path no Java compiler runs in the server. It asks Chronicle's own generator, so that the source always fits the version in use.
 */
final class GenerateChronicleNatives {
  private static final String HEADER_TYPE = "net.openhft.chronicle.hash.VanillaGlobalMutableState";

  /**
   * @param args the directory of generated sources
   */
  public static void main(String[] args) throws Exception {
    Class<?> type = Class.forName(HEADER_TYPE);
    Class<?> models = Class.forName("net.openhft.chronicle.values.ValueModel");
    Method acquire = models.getDeclaredMethod("acquire", Class.class);
    acquire.setAccessible(true);
    Method generate = Class.forName("net.openhft.chronicle.values.Generators").getDeclaredMethod("generateNativeClass", models, String.class);
    generate.setAccessible(true);
    String name = type.getSimpleName() + "$$Native";
    String source = (String) generate.invoke(null, acquire.invoke(null, type), name);
    Path target = Path.of(args[0]).resolve(type.getPackageName().replace('.', '/')).resolve(name + ".java");
    Files.createDirectories(target.getParent());
    if (!Files.exists(target) || !Files.readString(target).equals(source)) {
      Files.writeString(target, source);
    }
  }
}
