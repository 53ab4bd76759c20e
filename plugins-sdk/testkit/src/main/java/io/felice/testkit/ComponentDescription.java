package io.felice.testkit;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URL;
import java.util.ArrayList;
import java.util.Enumeration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.jar.Manifest;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.SAXException;

/**
 * A component as its descriptor in {@code OSGI-INF} describes it. Declarative Services reads the same file, so there is
 * no second list of components.
 *
 * @param bundle symbolic name of its bundle
 * @param pids configuration PIDs
 * @param properties its own properties, typed
 * @param services names of the interfaces under which it is registered
 * @param constructorArguments the number of its constructor's arguments
 */
record ComponentDescription(
        String bundle,
        String name,
        String implementation,
        List<String> pids,
        Map<String, Object> properties,
        List<String> services,
        List<Reference> references,
        int constructorArguments,
        String activate,
        String deactivate,
        String modified) {

    /** False if its constructor activates it. */
    boolean hasActivateMethod() {
        return !activate.isEmpty();
    }

    /** @param parameter index of the constructor argument, -1 for a reference with bind methods */
    record Reference(
            String interfaceName,
            boolean dynamic,
            boolean optional,
            boolean multiple,
            String bind,
            String unbind,
            int parameter) {}

    /** Every component of the bundles of Felice on the class path, and of the bundles that import a package of Felice. */
    static List<ComponentDescription> onClassPath(ClassLoader loader) {
        List<ComponentDescription> found = new ArrayList<>();
        try {
            Enumeration<URL> manifests = loader.getResources("META-INF/MANIFEST.MF");
            while (manifests.hasMoreElements()) {
                URL url = manifests.nextElement();
                found.addAll(ofBundle(url));
            }
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
        return found;
    }

    private static List<ComponentDescription> ofBundle(URL manifestUrl) throws IOException {
        Manifest manifest;
        try (InputStream in = manifestUrl.openStream()) {
            manifest = new Manifest(in);
        }
        String bundle = symbolicName(manifest);
        String components = manifest.getMainAttributes().getValue("Service-Component");
        if (bundle == null || components == null || !isOfFelice(bundle, manifest)) {
            return List.of();
        }
        String root = manifestUrl.toString().replace("META-INF/MANIFEST.MF", "");
        List<ComponentDescription> found = new ArrayList<>();
        for (String path : components.split(",")) {
            try (InputStream in = new URL(root + path.trim()).openStream()) {
                found.add(parse(bundle, in));
            }
        }
        return found;
    }

    /** Without directives such as {@code singleton:=true}; null if this is no bundle. */
    private static String symbolicName(Manifest manifest) {
        String name = manifest.getMainAttributes().getValue("Bundle-SymbolicName");
        return name == null ? null : name.split(";")[0].trim();
    }

    private static boolean isOfFelice(String bundle, Manifest manifest) {
        String imports = manifest.getMainAttributes().getValue("Import-Package");
        return bundle.startsWith("io.felice.") || (imports != null && imports.contains("io.felice."));
    }

    private static ComponentDescription parse(String bundle, InputStream in) throws IOException {
        Element root;
        try {
            root = DocumentBuilderFactory.newInstance()
                    .newDocumentBuilder()
                    .parse(in)
                    .getDocumentElement();
        } catch (ParserConfigurationException | SAXException failure) {
            throw new IOException("a component of " + bundle + " cannot be read", failure);
        }
        String name = root.getAttribute("name");
        String pid = root.getAttribute("configuration-pid");
        return new ComponentDescription(
                bundle,
                name,
                children(root, "implementation").get(0).getAttribute("class"),
                List.of((pid.isEmpty() ? name : pid).split("\\s+")),
                properties(root),
                services(root),
                children(root, "reference").stream()
                        .map(ComponentDescription::reference)
                        .toList(),
                root.getAttribute("init").isEmpty() ? 0 : Integer.parseInt(root.getAttribute("init")),
                root.getAttribute("activate"),
                root.getAttribute("deactivate"),
                root.getAttribute("modified"));
    }

    private static Reference reference(Element e) {
        if (!e.getAttribute("target").isEmpty()) {
            throw new IllegalArgumentException("reference targets are not supported here: " + e.getAttribute("name"));
        }
        if (!e.getAttribute("field").isEmpty()) {
            throw new IllegalArgumentException(
                    "references in fields are not supported here, use the constructor: " + e.getAttribute("field"));
        }
        String cardinality = e.getAttribute("cardinality");
        return new Reference(
                e.getAttribute("interface"),
                e.getAttribute("policy").equals("dynamic"),
                cardinality.startsWith("0"),
                cardinality.endsWith("n"),
                e.getAttribute("bind"),
                e.getAttribute("unbind"),
                e.getAttribute("parameter").isEmpty() ? -1 : Integer.parseInt(e.getAttribute("parameter")));
    }

    private static List<String> services(Element root) {
        List<String> interfaces = new ArrayList<>();
        for (Element service : children(root, "service")) {
            children(service, "provide").forEach(p -> interfaces.add(p.getAttribute("interface")));
        }
        return interfaces;
    }

    private static Map<String, Object> properties(Element root) {
        Map<String, Object> properties = new HashMap<>();
        for (Element e : children(root, "property")) {
            String type = e.getAttribute("type");
            properties.put(
                    e.getAttribute("name"),
                    e.hasAttribute("value")
                            ? value(type, e.getAttribute("value"))
                            : e.getTextContent()
                                    .strip()
                                    .lines()
                                    .map(String::strip)
                                    .toArray(String[]::new));
        }
        return properties;
    }

    private static Object value(String type, String text) {
        return switch (type) {
            case "Integer" -> Integer.valueOf(text);
            case "Long" -> Long.valueOf(text);
            case "Short" -> Short.valueOf(text);
            case "Byte" -> Byte.valueOf(text);
            case "Boolean" -> Boolean.valueOf(text);
            case "Double" -> Double.valueOf(text);
            case "Float" -> Float.valueOf(text);
            default -> text;
        };
    }

    private static List<Element> children(Element parent, String tag) {
        List<Element> elements = new ArrayList<>();
        NodeList nodes = parent.getChildNodes();
        for (int i = 0; i < nodes.getLength(); i++) {
            if (nodes.item(i) instanceof Element e && e.getTagName().equals(tag)) {
                elements.add(e);
            }
        }
        return elements;
    }
}
