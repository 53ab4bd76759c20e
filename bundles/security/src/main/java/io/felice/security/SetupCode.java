package io.felice.security;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Locale;

/**
 * A code of 128 random bits, in groups of letters and digits that nobody confuses (Crockford's alphabet). Knows how often it
 * was guessed wrong. Its text is not its {@code toString}.
 */
final class SetupCode {
    /** After so many wrong guesses no guess is right. */
    static final int MOST_WRONG = 100;

    private static final String ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    private static final int CHARACTERS = 26;
    private static final int GROUP = 5;

    private final String code;
    private int wrong;

    SetupCode(SecureRandom random) {
        StringBuilder characters = new StringBuilder();
        for (int i = 0; i < CHARACTERS; i++) {
            characters.append(ALPHABET.charAt(random.nextInt(ALPHABET.length())));
        }
        this.code = characters.toString();
    }

    /** For people to read. */
    String text() {
        StringBuilder groups = new StringBuilder(code);
        for (int i = CHARACTERS / GROUP * GROUP; i > 0; i -= GROUP) {
            groups.insert(i, '-');
        }
        return groups.toString();
    }

    synchronized boolean isExhausted() {
        return wrong >= MOST_WRONG;
    }

    synchronized boolean is(String guess) {
        String typed = guess.toUpperCase(Locale.ROOT)
                .replaceAll("[-\\s]", "")
                .replace('O', '0')
                .replace('I', '1')
                .replace('L', '1');
        boolean isRight = MessageDigest.isEqual(bytes(typed), bytes(code)) && !isExhausted();
        if (!isRight) {
            wrong++;
        }
        return isRight;
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
