package io.felice.console.pages;

import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ServiceScope;
import org.osgi.service.servlet.context.ServletContextHelper;

/** The servlet context of the pages. Everybody may read the pages: they have no data, which comes from the API. */
@Component(
        service = ServletContextHelper.class,
        scope = ServiceScope.BUNDLE,
        property = {
            "osgi.http.whiteboard.context.name=" + PagesContext.NAME,
            "osgi.http.whiteboard.context.path=/",
        })
public final class PagesContext extends ServletContextHelper {
    static final String NAME = "io.felice.console.pages";
}
