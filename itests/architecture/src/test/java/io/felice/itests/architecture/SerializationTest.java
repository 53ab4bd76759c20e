package io.felice.itests.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;

/** No bundle deserializes Java objects: whoever sends the bytes could make the deserializer run any code. */
class SerializationTest {
    private static final String MINA_BUFFERS = "org/apache/mina/core/buffer/";
    private static final String MINA_CODEC = "org/apache/mina/filter/codec/serialization/";
    private static final Set<String> OBJECT_METHODS = Set.of("getObject", "putObject");
    private static final Set<String> OBJECT_STREAMS =
            Set.of("java/io/ObjectInputStream", "java/io/ObjectOutputStream", "java/io/ObjectInput");

    static List<Bundle> bundles() {
        return Bundle.all();
    }

    @ParameterizedTest
    @MethodSource("bundles")
    void noClassSerializesObjects(Bundle bundle) {
        Set<String> uses = new TreeSet<>();
        bundle.ownClasses().forEach(file -> uses.addAll(Uses.of(bundle.read(file))));

        assertThat(uses)
                .as("%s: read and write the fields one by one instead", bundle)
                .isEmpty();
    }

    @ParameterizedTest
    @MethodSource("bundles")
    void noBundleImportsTheSerializingCodec(Bundle bundle) {
        assertThat(bundle.imports()).noneMatch(name -> (name.replace('.', '/') + "/").startsWith(MINA_CODEC));
    }

    @ParameterizedTest
    @ValueSource(strings = {"getObject", "putObject"})
    void theRuleSeesACallOfABufferThatSerializes(String method) {
        assertThat(Uses.of(classThatCalls(MINA_BUFFERS + "IoBuffer", method)))
                .containsExactly("Caller calls " + MINA_BUFFERS + "IoBuffer." + method);
    }

    @Test
    void theRuleSeesClassesThatSerialize() {
        String factory = MINA_CODEC + "ObjectSerializationCodecFactory";

        assertThat(Uses.of(classThatCalls(factory, "getEncoder"))).containsExactly("Caller uses " + factory);
        assertThat(Uses.of(classThatCalls("java/io/ObjectInputStream", "readObject")))
                .containsExactly("Caller uses java/io/ObjectInputStream");
        assertThat(Uses.of(classThatCalls(MINA_BUFFERS + "IoBuffer", "getInt"))).isEmpty();
    }

    private static byte[] classThatCalls(String owner, String method) {
        ClassWriter made = new ClassWriter(ClassWriter.COMPUTE_MAXS);
        made.visit(Opcodes.V17, Opcodes.ACC_PUBLIC, "Caller", null, "java/lang/Object", null);
        MethodVisitor code = made.visitMethod(Opcodes.ACC_STATIC, "call", "()V", null, null);
        code.visitCode();
        code.visitInsn(Opcodes.ACONST_NULL);
        code.visitMethodInsn(Opcodes.INVOKEVIRTUAL, owner, method, "()V", false);
        code.visitInsn(Opcodes.RETURN);
        code.visitMaxs(0, 0);
        code.visitEnd();
        made.visitEnd();
        return made.toByteArray();
    }

    /** The uses of Java's and MINA's object serialization in a class file, found in its constant pool. */
    private record Uses(ClassReader file, char[] buffer) {
        private static final int CLASS = 7;
        private static final int METHOD = 10;
        private static final int INTERFACE_METHOD = 11;

        static Set<String> of(byte[] classFile) {
            ClassReader file = new ClassReader(classFile);
            return new Uses(file, new char[file.getMaxStringLength()]).all();
        }

        private Set<String> all() {
            Set<String> found = new TreeSet<>();
            for (int i = 1; i < file.getItemCount(); i++) {
                int at = file.getItem(i);
                int kind = at == 0 ? 0 : file.readByte(at - 1);
                if (kind == CLASS) {
                    addClass(file.readUTF8(at, buffer), found);
                } else if (kind == METHOD || kind == INTERFACE_METHOD) {
                    int nameAndType = file.getItem(file.readUnsignedShort(at + 2));
                    addCall(file.readClass(at, buffer), file.readUTF8(nameAndType, buffer), found);
                }
            }
            return found;
        }

        private void addClass(String type, Set<String> found) {
            if (type.startsWith(MINA_CODEC) || OBJECT_STREAMS.contains(type)) {
                found.add(file.getClassName() + " uses " + type);
            }
        }

        private void addCall(String owner, String method, Set<String> found) {
            if (owner.startsWith(MINA_BUFFERS) && OBJECT_METHODS.contains(method)) {
                found.add(file.getClassName() + " calls " + owner + "." + method);
            }
        }
    }
}
