// What a page loads: it makes <openedx-ai-widget> known, once.
import { OpenedxAIWidget } from "./element.js";

const NAME = "openedx-ai-widget";

if (!customElements.get(NAME)) customElements.define(NAME, OpenedxAIWidget);
