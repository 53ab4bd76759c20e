package io.felice.console.pages;

import jakarta.servlet.Servlet;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.util.Map;
import java.util.regex.Pattern;
import org.osgi.service.component.annotations.Component;

/**
 * Sends the files of the pages, compressed when they were built. The names of the files in {@code assets/} change with
 * their content, so browsers keep them; everything else is asked for again, so that an update of this bundle is seen with
 * the next load.
 */
@Component(
        service = Servlet.class,
        property = {
            "osgi.http.whiteboard.servlet.pattern=/*",
            "osgi.http.whiteboard.context.select=(osgi.http.whiteboard.context.name=" + PagesContext.NAME + ")",
        })
public final class PagesServlet extends HttpServlet {
    private static final long serialVersionUID = 1;
    private static final String ROOT = "/pages";
    private static final Pattern FILE = Pattern.compile("/(assets/)?[A-Za-z0-9_-]+\\.(html|js|css|svg)");
    private static final Map<String, String> TYPES = Map.of(
            "html", "text/html;charset=utf-8",
            "js", "text/javascript;charset=utf-8",
            "css", "text/css;charset=utf-8",
            "svg", "image/svg+xml");

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response) throws IOException {
        String path = request.getPathInfo();
        if (path == null || path.isEmpty()) {
            path = "/";
        }
        String file = path.equals("/") ? "/index.html" : path;
        URL plain = FILE.matcher(file).matches() ? PagesServlet.class.getResource(ROOT + file) : null;
        if (plain == null) {
            response.sendError(HttpServletResponse.SC_NOT_FOUND);
            return;
        }
        URL compressed = takesGzip(request) ? PagesServlet.class.getResource(ROOT + file + ".gz") : null;
        response.setContentType(TYPES.get(file.substring(file.lastIndexOf('.') + 1)));
        response.setHeader(
                "Cache-Control", file.startsWith("/assets/") ? "public, max-age=31536000, immutable" : "no-cache");
        response.setHeader("Vary", "Accept-Encoding");
        if (compressed != null) {
            response.setHeader("Content-Encoding", "gzip");
        }
        try (InputStream bytes = (compressed == null ? plain : compressed).openStream()) {
            byte[] all = bytes.readAllBytes();
            response.setContentLength(all.length);
            response.getOutputStream().write(all);
        }
    }

    private static boolean takesGzip(HttpServletRequest request) {
        String encodings = request.getHeader("Accept-Encoding");
        return encodings != null && encodings.contains("gzip");
    }
}
