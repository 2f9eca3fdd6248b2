package io.kvorum.mvcc.segment;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;

/**
 * Gives a file its disk blocks before it is written through a mapping: a store into a hole on a full disk would be a fault in the middle of a put. Uses
 * fallocate(2); where that is missing, writes the bytes once.
 */
final class Preallocation {
  private static final int KEEP_SIZE = 1;
  private static final int OPEN_READ_WRITE = 2;
  private static final int NO_SPACE = 28;
  private static final int COPY_BYTES = 64 << 10;

  /** Smaller files are written once instead: linking the calls takes longer, and a new member's start would wait for it. */
  private static final long WRITTEN_BYTES_MAX = 1 << 20;

  private Optional<Native> linked;

  /**
   * Allocates the blocks of {@code [0, bytes)} without changing length or content.
   *
   * @param path an existing file
   * @throws NoSpaceException when the disk is full; the file stays as it was, its owner deletes it
   */
  void allocate(Path path, long bytes) throws IOException {
    Optional<Native> calls = nativeCalls(bytes);
    if (calls.isEmpty() || !calls.get().allocate(path, bytes)) {
      requireUsable(path, bytes);
    }
  }

  /** As {@link #allocate} for a file that already has its length; writes it once where the system cannot allocate. */
  void allocateExisting(Path path) throws IOException {
    try (FileChannel file = FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      Optional<Native> calls = nativeCalls(file.size());
      if (calls.isPresent() && calls.get().allocate(path, file.size())) {
        return;
      }
      ByteBuffer block = ByteBuffer.allocateDirect(COPY_BYTES);
      for (long at = 0; at < file.size(); at += COPY_BYTES) {
        block.clear().limit((int) Math.min(COPY_BYTES, file.size() - at));
        file.read(block, at);
        file.write(block.flip(), at);
      }
    } catch (IOException e) {
      throw NoSpaceException.from(e);
    }
  }

  private synchronized Optional<Native> nativeCalls(long bytes) {
    if (bytes <= WRITTEN_BYTES_MAX) {
      return Optional.empty();
    }
    if (linked == null) {
      linked = Native.find();
    }
    return linked;
  }

  private static void requireUsable(Path path, long bytes) throws IOException {
    if (java.nio.file.Files.getFileStore(path).getUsableSpace() < bytes) {
      throw new NoSpaceException("No space left on device for " + path.getFileName());
    }
  }

  /** The three calls of the C library. */
  private record Native(MethodHandle open, MethodHandle close, MethodHandle fallocate) {
    private static final StructLayout STATE = Linker.Option.captureStateLayout();
    private static final VarHandle ERRNO = STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));

    static Optional<Native> find() {
      Linker linker = Linker.nativeLinker();
      SymbolLookup lookup = linker.defaultLookup();
      Optional<MemorySegment> fallocate = lookup.find("fallocate64").or(() -> lookup.find("fallocate"));
      Optional<MemorySegment> open = lookup.find("open");
      Optional<MemorySegment> close = lookup.find("close");
      if (fallocate.isEmpty() || open.isEmpty() || close.isEmpty()) {
        return Optional.empty();
      }
      Linker.Option errno = Linker.Option.captureCallState("errno");
      FunctionDescriptor openType =
          FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT);
      FunctionDescriptor closeType = FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT);
      FunctionDescriptor allocateType =
          FunctionDescriptor.of(
              ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG);
      return Optional.of(
          new Native(
              linker.downcallHandle(open.get(), openType, Linker.Option.firstVariadicArg(2)),
              linker.downcallHandle(close.get(), closeType),
              linker.downcallHandle(fallocate.get(), allocateType, errno)));
    }

    /** @return false if the file system cannot do it */
    boolean allocate(Path path, long bytes) throws IOException {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment state = arena.allocate(STATE);
        int descriptor = (int) open.invokeExact(arena.allocateFrom(path.toString()), OPEN_READ_WRITE, 0);
        if (descriptor < 0) {
          return false;
        }
        int result = (int) fallocate.invokeExact(state, descriptor, KEEP_SIZE, 0L, bytes);
        int ignored = (int) close.invokeExact(descriptor);
        if (result != 0 && (int) ERRNO.get(state, 0L) == NO_SPACE) {
          throw new NoSpaceException("No space left on device for " + path.getFileName());
        }
        return result == 0;
      } catch (IOException e) {
        throw e;
      } catch (Throwable e) {
        throw new IOException("fallocate of " + path + " failed", e);
      }
    }
  }
}
