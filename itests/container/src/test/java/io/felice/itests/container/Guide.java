package io.felice.itests.container;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Does what a document says with a node: types the blocks {@code sh}, and writes the blocks that name a file below
 * {@code etc}.
 *
 * @param directory where the reader types
 */
record Guide(Launcher node, Etc etc, Path directory) {
    private static final Pattern BLOCK = Pattern.compile("```(\\w+) ?(\\S*)\\n(.*?)```", Pattern.DOTALL);

    /** A part of the document that the reader types, or writes into a file. */
    record Block(String language, String file, String text) {
        boolean isTyped() {
            return language.equals("sh");
        }

        boolean isSettings() {
            return file.startsWith("etc/");
        }

        /** The name of the file below {@code etc}. */
        String settings() {
            return file.substring("etc/".length());
        }
    }

    static List<Block> blocks(String document) {
        List<Block> blocks = new ArrayList<>();
        Matcher found = BLOCK.matcher(document);
        while (found.find()) {
            blocks.add(new Block(found.group(1), found.group(2), found.group(3)));
        }
        return blocks;
    }

    /** Runs a script that must succeed, and returns what it prints. */
    String type(String script) throws IOException, InterruptedException {
        ProcessBuilder shell = new ProcessBuilder(
                "bash", "-eu", "-c", "felice() { '" + node.home() + "/bin/felice' \"$@\"; }\n" + script);
        shell.directory(directory.toFile());
        shell.environment().putAll(node.environment());
        shell.environment().put("FELICE_DATA", node.data().toString());
        shell.environment().put("FELICE_HOME", node.home().toString());
        shell.environment().put("PATH", Path.of(System.getProperty("java.home"), "bin") + ":" + System.getenv("PATH"));
        shell.environment()
                .merge(
                        "MAVEN_OPTS",
                        "-Dmaven.repo.local=" + System.getProperty("maven.repo.local"),
                        (one, two) -> one + " " + two);
        Path output = Files.createTempFile("typed", ".out");
        try {
            Process typed = shell.redirectErrorStream(true)
                    .redirectInput(Path.of("/dev/null").toFile())
                    .redirectOutput(output.toFile())
                    .start();
            boolean hasEnded = typed.waitFor(5, TimeUnit.MINUTES);
            String text = Files.readString(output, UTF_8);
            assertThat(hasEnded).as(script + text).isTrue();
            assertThat(typed.exitValue()).as(script + text + node.log()).isZero();
            return text;
        } finally {
            Files.delete(output);
        }
    }

    /** Changes the values of the keys that the file has, and adds the others. */
    void write(Block block) throws IOException {
        for (String line : block.text().lines().toList()) {
            int equals = line.indexOf(" = ");
            etc.put(block.settings(), line.substring(0, equals), line.substring(equals + 3));
        }
        assertThat(Files.readString(etc.file(block.settings())))
                .contains(block.text().lines().toList());
    }
}
