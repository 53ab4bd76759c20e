package io.felice.console.access;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import io.felice.console.http.BodyTooLarge;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ReadListener;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletInputStream;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletRequestWrapper;
import jakarta.servlet.http.HttpServletResponse;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Set;
import org.osgi.service.servlet.whiteboard.Preprocessor;

/**
 * Stands in front of every URL of the node: refuses what pages of other origins send, bodies that are too large and methods
 * that nobody serves, and sets the headers that protect the pages.
 */
public final class Guard implements Preprocessor {
    /** The pages of the platform, which have scripts inside them. */
    private static final String PLATFORM = "/system/console";

    private static final Set<String> SAFE = Set.of("GET", "HEAD", "OPTIONS");
    private static final Set<String> KNOWN = Set.of("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE");
    private static final String STRICT =
            "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none';"
                    + " object-src 'none'; img-src 'self' data:";
    private static final String WITH_INLINE_SCRIPTS =
            STRICT + "; script-src 'self' 'unsafe-inline';" + " style-src 'self' 'unsafe-inline'";

    private volatile Set<String> origins;
    private volatile long mostBytes;

    /** @param origins further origins, such as {@code https://felice.example.org}, whose pages may send anything */
    public Guard(Set<String> origins, long mostBytes) {
        limit(origins, mostBytes);
    }

    public void limit(Set<String> allowed, long bytes) {
        origins = Set.copyOf(allowed);
        mostBytes = bytes;
    }

    @Override
    public void doFilter(ServletRequest request, ServletResponse response, FilterChain next)
            throws IOException, ServletException {
        HttpServletRequest asked = (HttpServletRequest) request;
        HttpServletResponse answer = (HttpServletResponse) response;
        String path = path(asked);
        setHeaders(answer, isBelow(PLATFORM, path));
        if (!KNOWN.contains(asked.getMethod())) {
            refuse(answer, 405, "method-not-allowed", "The method is not served.");
        } else if (isForeign(asked, path)) {
            refuse(answer, 403, "foreign-origin", "The request comes from a page of another origin.");
        } else if (asked.getContentLengthLong() > mostBytes) {
            refuse(answer, 413, "body-too-large", "The body has more than " + mostBytes + " bytes.");
        } else {
            next.doFilter(new Bounded(asked, mostBytes), answer);
        }
    }

    private static String path(HttpServletRequest asked) {
        String path = asked.getRequestURI();
        return path == null ? "" : path;
    }

    private static boolean isBelow(String parent, String path) {
        return path.equals(parent) || path.startsWith(parent + "/");
    }

    private static void setHeaders(HttpServletResponse answer, boolean isPlatform) {
        answer.setHeader("Content-Security-Policy", isPlatform ? WITH_INLINE_SCRIPTS : STRICT);
        answer.setHeader("X-Frame-Options", "DENY");
        answer.setHeader("X-Content-Type-Options", "nosniff");
        answer.setHeader("Referrer-Policy", "same-origin");
        answer.setHeader("Cross-Origin-Opener-Policy", "same-origin");
        answer.setHeader("Cross-Origin-Resource-Policy", "same-origin");
        answer.setHeader("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()");
    }

    /**
     * Browsers say where a request comes from. What is no browser says nothing, and has no cookie that it does not want to
     * send. A page may be opened from anywhere; the API is for our own pages.
     */
    private boolean isForeign(HttpServletRequest asked, String path) {
        boolean isSafe = SAFE.contains(asked.getMethod());
        String site = asked.getHeader("Sec-Fetch-Site");
        String origin = asked.getHeader("Origin");
        if (origin != null && origins.contains(origin.toLowerCase(Locale.ROOT))) {
            return false;
        }
        if (site != null) {
            boolean isOwn = site.equals("same-origin") || (isSafe && site.equals("none"));
            return !isOwn && (!isSafe || isBelow("/api", path));
        }
        return !isSafe && origin != null && !isHost(origin, asked);
    }

    private static boolean isHost(String origin, HttpServletRequest asked) {
        String host = asked.getHeader("Host");
        try {
            URI from = URI.create(origin);
            boolean isTls = "https".equals(from.getScheme());
            return host != null
                    && from.getHost() != null
                    && (isTls || "http".equals(from.getScheme()))
                    && authority(from.getRawAuthority(), isTls).equals(authority(host, isTls));
        } catch (IllegalArgumentException noOrigin) {
            return false;
        }
    }

    private static String authority(String hostAndPort, boolean isTls) {
        String usual = isTls ? ":443" : ":80";
        String name = hostAndPort.toLowerCase(Locale.ROOT);
        return name.endsWith(usual) ? name.substring(0, name.length() - usual.length()) : name;
    }

    private static void refuse(HttpServletResponse answer, int status, String code, String sentence)
            throws IOException {
        byte[] body = ("{\"type\": \"/api/v1/problems/" + code + "\", \"title\": \"" + code.replace('-', ' ')
                        + "\", \"status\": " + status + ", \"code\": \"" + code + "\", \"detail\": \""
                        + String.valueOf(JsonStringEncoder.getInstance().quoteAsString(sentence)) + "\"}")
                .getBytes(StandardCharsets.UTF_8);
        answer.setStatus(status);
        answer.setHeader("Connection", "close"); // nobody reads the rest of the request
        answer.setHeader("Cache-Control", "no-store");
        answer.setContentType("application/problem+json");
        answer.setContentLength(body.length);
        answer.getOutputStream().write(body);
    }

    /** A request whose body cannot be longer than it may be, whatever its headers say. */
    private static final class Bounded extends HttpServletRequestWrapper {
        private final long most;
        private ServletInputStream body;

        Bounded(HttpServletRequest asked, long most) {
            super(asked);
            this.most = most;
        }

        @Override
        public ServletInputStream getInputStream() throws IOException {
            if (body == null) {
                body = new BoundedBody(super.getInputStream(), most);
            }
            return body;
        }

        @Override
        public BufferedReader getReader() throws IOException {
            String encoding = getCharacterEncoding();
            return new BufferedReader(new InputStreamReader(
                    getInputStream(), encoding == null ? StandardCharsets.UTF_8.name() : encoding));
        }
    }

    private static final class BoundedBody extends ServletInputStream {
        private final ServletInputStream in;
        private long left;

        BoundedBody(ServletInputStream in, long most) {
            this.in = in;
            this.left = most;
        }

        @Override
        public int read() throws IOException {
            int read = in.read();
            count(read < 0 ? 0 : 1);
            return read;
        }

        @Override
        public int read(byte[] bytes, int from, int length) throws IOException {
            int read = in.read(bytes, from, length);
            count(Math.max(read, 0));
            return read;
        }

        private void count(int bytes) throws IOException {
            left -= bytes;
            if (left < 0) {
                throw new BodyTooLarge();
            }
        }

        @Override
        public boolean isFinished() {
            return in.isFinished();
        }

        @Override
        public boolean isReady() {
            return in.isReady();
        }

        @Override
        public void setReadListener(ReadListener listener) {
            in.setReadListener(listener);
        }
    }
}
