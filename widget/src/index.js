// The script that a page loads. Defines <openedx-ai-widget>, also when a page includes the script more than once.
import { OpenedxAIWidget } from "./element.js";

const NAME = "openedx-ai-widget";

if (!customElements.get(NAME)) customElements.define(NAME, OpenedxAIWidget);
