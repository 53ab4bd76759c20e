package io.felice.records;

import net.jpountz.lz4.LZ4Factory;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Loads lz4's native library: by itself lz4-java does so only from the system class loader, and in a framework would
 * quietly stay with its slow Java code.
 */
@Component(service = NativeCodecs.class, immediate = true)
public final class NativeCodecs {
    private static final Logger log = LoggerFactory.getLogger(NativeCodecs.class);

    @Activate
    public NativeCodecs() {
        try {
            LZ4Factory.nativeInstance();
        } catch (LinkageError | RuntimeException notOnThisPlatform) {
            log.info("lz4 runs without its native library: {}", notOnThisPlatform.toString());
        }
    }
}
