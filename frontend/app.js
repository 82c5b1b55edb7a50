/* Small behaviour of every page. Each concern is one module; custom elements set themselves up again after a swap. */
import "./shell/htmx.js";
import "./shell/signed-out.js";
import "./shell/confirm.js";
import "./shell/action-menu.js";
import "./shell/toast-stack.js";
import "./shell/theme-switch.js";
import "./shell/copy-button.js";
import "./shell/rows.js";
import "./shell/bulk-list.js";
import "./shell/unsaved-guard.js";
import "./shell/side-panel.js";
import "./shell/dialogs.js";
import "./shell/local-time.js";
import "./shell/current.js";
import "./shell/choice-list.js";
import "./shell/list-options.js";
import "./shell/file-limit.js";
