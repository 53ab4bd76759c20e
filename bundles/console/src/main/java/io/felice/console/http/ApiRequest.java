package io.felice.console.http;

import io.felice.api.FeliceException;
import io.felice.console.access.Caller;
import io.felice.console.access.Identification;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.net.InetAddress;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** A request to one operation, with its parameters checked as they are read. */
public final class ApiRequest {
    private static final int MOST_BODY_BYTES = 4 << 20;
    private static final int LONGEST_PARAMETER = 1 << 16;
    private static final int LONGEST_WAIT_SECONDS = 30;

    private final HttpServletRequest http;
    private final HttpServletResponse response;
    private final Map<String, String> path;
    private final Caller caller;

    /** @param caller null for an operation for which nobody needs to be logged in */
    ApiRequest(HttpServletRequest http, HttpServletResponse response, Map<String, String> path, Caller caller) {
        this.http = http;
        this.response = response;
        this.path = path;
        this.caller = caller;
    }

    public HttpServletRequest http() {
        return http;
    }

    public HttpServletResponse response() {
        return response;
    }

    public Caller caller() {
        return caller;
    }

    public InetAddress host() {
        return Identification.host(http);
    }

    /** True if the client has sent the request by TLS, to this node or to a proxy in front of it. */
    public boolean isEncrypted() {
        return http.isSecure() || "https".equalsIgnoreCase(http.getHeader("X-Forwarded-Proto"));
    }

    public String path(String name) {
        return path.get(name);
    }

    public int pathNumber(String name) {
        return number(name, path.get(name), 0, Integer.MAX_VALUE);
    }

    public Optional<String> query(String name) {
        String value = http.getParameter(name);
        if (value != null && value.length() > LONGEST_PARAMETER) {
            throw Problem.invalid("The parameter " + name + " is too long.");
        }
        return Optional.ofNullable(value).filter(text -> !text.isEmpty());
    }

    public String query(String name, List<String> words, String otherwise) {
        String value = query(name).orElse(otherwise);
        if (!words.contains(value)) {
            throw Problem.invalid("The parameter " + name + " is one of " + String.join(", ", words) + ".");
        }
        return value;
    }

    public int query(String name, int least, int most, int otherwise) {
        return query(name).map(text -> number(name, text, least, most)).orElse(otherwise);
    }

    public Optional<Long> queryLong(String name) {
        return query(name).map(text -> {
            try {
                return Long.parseLong(text);
            } catch (NumberFormatException noNumber) {
                throw Problem.invalid("The parameter " + name + " is a whole number.");
            }
        });
    }

    public boolean flag(String name) {
        return switch (query(name).orElse("false")) {
            case "true" -> true;
            case "false" -> false;
            default -> throw Problem.invalid("The parameter " + name + " is true or false.");
        };
    }

    public boolean isDryRun() {
        return flag("dryRun");
    }

    private static int number(String name, String text, int least, int most) {
        try {
            int number = Integer.parseInt(text);
            if (number >= least && number <= most) {
                return number;
            }
        } catch (NumberFormatException noNumber) {
            // The problem below says so.
        }
        throw Problem.invalid("The parameter " + name + " is a whole number from " + least + " to " + most + ".");
    }

    /** The body as JSON. */
    public <T> T body(Class<T> type) throws IOException {
        String sent = http.getContentType();
        if (sent == null || !sent.split(";", 2)[0].trim().equalsIgnoreCase("application/json")) {
            throw Problem.of(415, "unsupported-media-type", "The body has to be application/json.");
        }
        byte[] bytes = http.getInputStream().readNBytes(MOST_BODY_BYTES + 1);
        if (bytes.length > MOST_BODY_BYTES) {
            throw Problem.of(413, "body-too-large", "The body has more than " + MOST_BODY_BYTES + " bytes.");
        }
        return Json.read(bytes, type);
    }

    /** @throws Problem stale if the client has seen another state */
    public void checkUnchanged(String etag) {
        String seen = http.getHeader("If-Match");
        if (seen != null && !seen.trim().equals("*") && !seen.trim().equals(etag)) {
            throw Problem.of(
                    412,
                    "stale",
                    "Somebody has changed this since it was read.",
                    "Read it again, and make the change anew.");
        }
    }

    /** The value of a stage, for which this thread waits. */
    public static <T> T await(CompletionStage<T> stage) {
        try {
            return stage.toCompletableFuture().get(LONGEST_WAIT_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException failure) {
            Throwable bare = FeliceException.unwrap(failure);
            throw bare instanceof RuntimeException expected ? expected : new IllegalStateException(bare);
        } catch (TimeoutException late) {
            throw Problem.of(504, "timeout", "There was no answer in time. A change may still be made.");
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw Problem.of(503, "interrupted", "The console is being stopped.");
        }
    }
}
