package io.felice.itests.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.objectweb.asm.AnnotationVisitor;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassVisitor;
import org.objectweb.asm.Opcodes;

/** Every interface of {@code api} is marked with who implements it: a plugin, or Felice. */
class ContractsTest {

    private static final Set<String> ROLES =
            Set.of("Lorg/osgi/annotation/versioning/ConsumerType;", "Lorg/osgi/annotation/versioning/ProviderType;");

    @Test
    void everyInterfaceOfTheApiHasExactlyOneRole() {
        List<String> withoutOne = Bundle.all().stream()
                .filter(bundle -> bundle.name().equals("api"))
                .flatMap(api -> api.ownClasses().stream().map(api::read))
                .map(Contract::of)
                .filter(contract -> contract.isPublicInterface && contract.roles.size() != 1)
                .map(contract -> contract.name)
                .sorted()
                .toList();

        assertThat(withoutOne)
                .as(
                        "give each of these exactly one of @ConsumerType (a plugin implements it) and @ProviderType (Felice does)")
                .isEmpty();
    }

    private static final class Contract extends ClassVisitor {

        private String name;
        private boolean isPublicInterface;
        private final List<String> roles = new ArrayList<>();

        private Contract() {
            super(Opcodes.ASM9);
        }

        static Contract of(byte[] classFile) {
            Contract contract = new Contract();
            new ClassReader(classFile).accept(contract, ClassReader.SKIP_CODE);
            return contract;
        }

        @Override
        public void visit(int version, int access, String name, String signature, String parent, String[] interfaces) {
            this.name = name.replace('/', '.');
            boolean isInterface = (access & Opcodes.ACC_INTERFACE) != 0 && (access & Opcodes.ACC_ANNOTATION) == 0;
            isPublicInterface = isInterface && (access & Opcodes.ACC_PUBLIC) != 0;
        }

        @Override
        public AnnotationVisitor visitAnnotation(String descriptor, boolean visible) {
            if (ROLES.contains(descriptor)) {
                roles.add(descriptor);
            }
            return null;
        }
    }
}
