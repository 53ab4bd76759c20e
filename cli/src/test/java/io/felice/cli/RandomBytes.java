package io.felice.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.Random;

/** Bytes as records may have them: null, nothing, any bytes, text with odd characters, JSON with and without spaces. */
final class RandomBytes {
    private static final String ODD = "a\"\\/{}[]:,1.eE+- \n\r\t\0\u001b\u2028é€😀\uFFFD";

    private RandomBytes() {}

    static byte[] next(Random random) {
        return switch (random.nextInt(6)) {
            case 0 -> null;
            case 1 -> {
                byte[] bytes = new byte[random.nextInt(40)];
                random.nextBytes(bytes);
                yield bytes;
            }
            case 2, 3 -> json(random, 3).getBytes(UTF_8);
            default -> text(random).getBytes(UTF_8);
        };
    }

    private static String text(Random random) {
        StringBuilder text = new StringBuilder();
        int[] odd = ODD.codePoints().toArray();
        for (int i = random.nextInt(12); i > 0; i--) {
            text.appendCodePoint(odd[random.nextInt(odd.length)]);
        }
        return text.toString();
    }

    private static String json(Random random, int depth) {
        String space = random.nextInt(8) == 0 ? " " : "";
        return switch (random.nextInt(depth == 0 ? 4 : 6)) {
            case 0 -> String.valueOf(random.nextInt(1000) - 500);
            case 1 -> random.nextInt(100) + ".5" + random.nextInt(10)
                    + (random.nextBoolean() ? "" : "e" + random.nextInt(400));
            case 2 -> random.nextBoolean() ? "null" : "true";
            case 3 -> "\"" + text(random).replaceAll("[\\p{Cntrl}\"\\\\]", "") + "\"";
            case 4 -> "[" + space + json(random, depth - 1) + "," + space + json(random, depth - 1) + "]";
            default -> "{\"k\":" + space + json(random, depth - 1) + ",\"l\":" + json(random, depth - 1) + "}";
        };
    }
}
