package io.felice.shell;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;

/**
 * Removes the escape sequences of terminals, for example colours, and zero bytes, of which one ends the output of a command
 * ({@link CommandSocket}). One thread.
 */
final class PlainOutput extends FilterOutputStream {
    private static final int ESCAPE = 0x1b;

    private State state = State.TEXT;

    /**
     * The position of the last byte in an escape sequence. A letter ends the sequence, as in {@code ESC [ 1 ; 3 1 m}.
     */
    private enum State {
        TEXT,
        ESCAPED,
        PARAMETERS
    }

    PlainOutput(OutputStream output) {
        super(output);
    }

    @Override
    public void write(int value) throws IOException {
        if (isText((byte) value)) {
            out.write(value);
        }
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
        byte[] text = new byte[length];
        int kept = 0;
        for (int i = offset; i < offset + length; i++) {
            if (isText(bytes[i])) {
                text[kept++] = bytes[i];
            }
        }
        out.write(text, 0, kept);
    }

    private boolean isText(byte value) {
        State before = state;
        state = switch (before) {
            case TEXT -> value == ESCAPE ? State.ESCAPED : State.TEXT;
            case ESCAPED -> value == '[' ? State.PARAMETERS : State.TEXT;
            case PARAMETERS -> value >= '@' && value <= '~' ? State.TEXT : State.PARAMETERS;
        };
        return before == State.TEXT && state == State.TEXT && value != CommandSocket.END_OF_OUTPUT;
    }
}
