package io.felice.itests.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassVisitor;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;

/**
 * What code of others is compiled against changes only as the versions of its packages say. {@code ./dev baseline} makes the
 * jars in {@code plugins-sdk/baseline} anew.
 */
class BaselineTest {
    private static final String POLICY = "io/felice/api/policy/TopicPolicy";

    @BeforeAll
    static void renewTheBaselineIfThatIsWanted() throws Exception {
        if (Boolean.getBoolean("felice.baseline.renew")) {
            for (PublicApi api : PublicApi.all()) {
                api.renewBaseline();
            }
        }
    }

    @Test
    void thePublicApiIsThatOfTheBaselineOrItsPackagesHaveOtherVersions() throws Exception {
        List<String> findings = new ArrayList<>();
        for (PublicApi api : PublicApi.all()) {
            findings.addAll(api.findings());
        }

        assertThat(findings)
                .as("raise the @Version of each of these packages; or, if no release has it yet, run ./dev baseline")
                .isEmpty();
    }

    @Test
    void aMethodThatIsRemovedIsFound() throws Exception {
        assertThat(api().findings(without("refusal")))
                .singleElement()
                .asString()
                .startsWith("io.felice.api: the package io.felice.api.policy has a change that is major, so its version"
                        + " has to be 2.0.0, not 1.")
                .contains("removed")
                .contains("refusal");
    }

    @Test
    void aMethodThatAPluginWouldHaveToImplementIsFound() throws Exception {
        assertThat(api().findings(BaselineTest::withAnother))
                .singleElement()
                .asString()
                .startsWith("io.felice.api: the package io.felice.api.policy has a change that is major")
                .contains("added")
                .contains("another");
    }

    private static PublicApi api() {
        return PublicApi.all().stream()
                .filter(api -> api.name().equals("io.felice.api"))
                .findFirst()
                .orElseThrow();
    }

    private static UnaryOperator<byte[]> without(String removed) {
        return classFile -> changed(classFile, new Change() {
            @Override
            public boolean removes(String method) {
                return method.equals(removed);
            }
        });
    }

    private static byte[] withAnother(byte[] classFile) {
        return changed(classFile, new Change() {
            @Override
            public void end(ClassVisitor of) {
                of.visitMethod(Opcodes.ACC_PUBLIC | Opcodes.ACC_ABSTRACT, "another", "()V", null, null)
                        .visitEnd();
            }
        });
    }

    /** A change of the interface of topic policies. */
    private interface Change {
        default boolean removes(String method) {
            return false;
        }

        default void end(ClassVisitor of) {}
    }

    private static byte[] changed(byte[] classFile, Change change) {
        ClassReader reader = new ClassReader(classFile);
        if (!reader.getClassName().equals(POLICY)) {
            return classFile;
        }
        ClassWriter writer = new ClassWriter(0);
        reader.accept(
                new ClassVisitor(Opcodes.ASM9, writer) {
                    @Override
                    public MethodVisitor visitMethod(
                            int access, String name, String descriptor, String signature, String[] thrown) {
                        return change.removes(name)
                                ? null
                                : super.visitMethod(access, name, descriptor, signature, thrown);
                    }

                    @Override
                    public void visitEnd() {
                        change.end(cv);
                        super.visitEnd();
                    }
                },
                0);
        return writer.toByteArray();
    }
}
