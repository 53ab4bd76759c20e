package io.felice.replication;

/** Makes sentences for operators of the exceptions of kafka-clients. */
final class Sentences {
    private static final int MOST_CAUSES = 8;

    private Sentences() {}

    /** What the innermost cause says. */
    static String of(Throwable failure) {
        Throwable cause = failure;
        for (int depth = 0; cause.getCause() != null && depth < MOST_CAUSES; depth++) {
            cause = cause.getCause();
        }
        String message = cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
        return cause instanceof java.nio.file.NoSuchFileException ? "There is no file " + message : message;
    }
}
