package io.felice.testkit;

import java.nio.charset.StandardCharsets;

/** Text in bytes, and a pause in which another thread comes in between. */
final class Texts {
    private static final int PAUSE_MS = 2;

    private Texts() {}

    static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    static String of(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }

    static void pause() {
        try {
            Thread.sleep(PAUSE_MS);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
