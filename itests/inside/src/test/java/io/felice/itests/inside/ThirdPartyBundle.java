package io.felice.itests.inside;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.util.Collections;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.zip.ZipEntry;
import org.osgi.framework.Bundle;

/** Builds the jar of {@link ThirdParty}. The jar has its own copies of the classes of the memory engine. */
final class ThirdPartyBundle {
    private ThirdPartyBundle() {}

    static InputStream jar(Bundle test, Bundle memoryEngine) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (JarOutputStream jar = new JarOutputStream(bytes, manifest())) {
            copy(test, "io/felice/itests/inside", "ThirdParty.class", jar);
            copy(memoryEngine, "io/felice/storage/memory", "*.class", jar);
        }
        return new ByteArrayInputStream(bytes.toByteArray());
    }

    private static Manifest manifest() {
        Manifest manifest = new Manifest();
        Attributes headers = manifest.getMainAttributes();
        headers.put(Attributes.Name.MANIFEST_VERSION, "1.0");
        headers.putValue("Bundle-ManifestVersion", "2");
        headers.putValue("Bundle-SymbolicName", "org.example.engine");
        headers.putValue("Bundle-Activator", "io.felice.itests.inside.ThirdParty");
        headers.putValue(
                "Import-Package",
                "org.osgi.framework,io.felice.api;version=\"[1,2)\",io.felice.api.status;version=\"[1,2)\",io.felice.api.storage;version=\"[1,2)\"");
        return manifest;
    }

    private static void copy(Bundle from, String directory, String files, JarOutputStream jar) throws IOException {
        for (URL file : Collections.list(from.findEntries(directory, files, false))) {
            jar.putNextEntry(new ZipEntry(file.getPath().substring(1)));
            try (InputStream content = file.openStream()) {
                content.transferTo(jar);
            }
        }
    }
}
