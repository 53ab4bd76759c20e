package io.felice.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.status.Trouble;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The files for the launcher, and what the process remembers after a refresh of the bundle. */
class LaunchTest {
    @BeforeEach
    @AfterEach
    void forget() {
        System.clearProperty("felice.served");
        System.clearProperty(Launch.HEALTH_FILE);
    }

    @Test
    void hasServedIsStillTrueAfterTheBundleWasRefreshed() throws Exception {
        assertThat(refreshed().getMethod("hasServed").invoke(null)).isEqualTo(false);

        Launch.ready(List.of("node=0"));

        assertThat(Launch.hasServed()).isTrue();
        assertThat(refreshed().getMethod("hasServed").invoke(null)).isEqualTo(true);
    }

    @Test
    void theHealthFileHasALineForEachTrouble(@TempDir Path directory) throws Exception {
        Path file = directory.resolve("health");
        System.setProperty(Launch.HEALTH_FILE, file.toString());

        Launch.health(List.of(Trouble.ofNode("Nobody\nlistens"), Trouble.inPart("No groups")));
        String troubled = Files.readString(file);
        Launch.health(List.of());

        assertThat(troubled.lines()).containsExactly("node=Nobody listens", "part=No groups");
        assertThat(file).content().isBlank();
    }

    @Test
    void theOldHealthFileIsDeletedIfTheNewOneCannotBeWritten(@TempDir Path directory) throws Exception {
        Path file = directory.resolve("health");
        System.setProperty(Launch.HEALTH_FILE, file.toString());
        Launch.health(List.of());
        Files.createDirectory(directory.resolve("health.draft"));

        Launch.health(List.of(Trouble.inPart("No groups")));

        assertThat(file).doesNotExist();
    }

    /** The class, loaded again by another class loader, as after a refresh of the bundle. */
    private static Class<?> refreshed() throws ClassNotFoundException {
        String name = Launch.class.getName();
        return new ClassLoader(Launch.class.getClassLoader()) {
            @Override
            protected Class<?> loadClass(String wanted, boolean resolve) throws ClassNotFoundException {
                return wanted.equals(name) ? define() : super.loadClass(wanted, resolve);
            }

            private Class<?> define() throws ClassNotFoundException {
                try (InputStream code = Launch.class.getResourceAsStream("Launch.class")) {
                    byte[] bytes = code.readAllBytes();
                    return defineClass(name, bytes, 0, bytes.length);
                } catch (IOException failure) {
                    throw new ClassNotFoundException(name, failure);
                }
            }
        }.loadClass(name);
    }
}
