/* Dragging blocks and sections by their heads with a mouse or pen. It only finds the place; the server's own operation
   moves, so Undo takes it back like anything else. A finger and the keyboard use ⋮ and Alt with the arrows. */
import { autoScrollWindowForElements } from "@atlaskit/pragmatic-drag-and-drop-auto-scroll/element";
import {
  draggable, dropTargetForElements, monitorForElements,
} from "@atlaskit/pragmatic-drag-and-drop/adapter/element-adapter";
import { combine } from "@atlaskit/pragmatic-drag-and-drop/utils/combine";
import { setCustomNativeDragPreview } from "@atlaskit/pragmatic-drag-and-drop/utils/set-custom-native-drag-preview";

const numbers = (path) => path.split(".").map(Number);
const above = (path) => path.split(".").slice(0, -1).join(".");
const isBelow = (box, y) => y > box.top + box.height / 2;

export class BlockDragging {
  constructor(editor) {
    this.editor = editor;
    this.byFinger = false;
    editor.addEventListener("pointerdown", (event) => { this.byFinger = event.pointerType === "touch"; }, true);
    this.stopWatching = monitorForElements({
      canMonitor: ({ source }) => source.data.editor === editor,
      onDragStart: ({ source }) => this.begin(source),
      onDropTargetChange: ({ location }) => this.over(location.current.dropTargets[0]),
      onDrag: ({ location }) => this.over(location.current.dropTargets[0]),
      onDrop: ({ source, location }) => this.end(source, location.current.dropTargets[0]),
    });
    this.refresh();
  }

  /* After every answer of the server: the list is drawn anew. */
  refresh() {
    this.cleanup?.();
    const all = (selector) => [...this.editor.querySelectorAll(selector)];
    this.cleanup = combine(
      ...all(".block-section").map((section) => this.source(section, section.dataset.path)),
      ...all(".block-column > .block").map((block) => this.source(block, block.dataset.block)),
      ...all(".block-section").map((section) => this.sectionTarget(section)),
      ...all(".block-column").map((column) => this.columnTarget(column)),
      ...all(".block-column > .block").map((block) => this.blockTarget(block)),
      autoScrollWindowForElements(),
    );
  }

  stop() {
    this.cleanup?.();
    this.stopWatching();
  }

  source(element, path) {
    const head = element.querySelector(".block-head");
    return draggable({
      element,
      dragHandle: head,
      canDrag: () => !this.byFinger && !this.editor.closest("fieldset").disabled,
      getInitialData: () => ({ editor: this.editor, path, isSection: numbers(path).length === 1 }),
      onGenerateDragPreview: ({ nativeSetDragImage }) => setCustomNativeDragPreview({
        nativeSetDragImage,
        render: ({ container }) => { container.append(preview(head)); },
      }),
    });
  }

  // --- where it can go: a section before or after a section, a block before or after a block, or at a column's end

  sectionTarget(section) {
    return dropTargetForElements({
      element: section,
      canDrop: ({ source }) => source.data.editor === this.editor && source.data.isSection,
      getData: ({ input }) => {
        const after = isBelow(section.getBoundingClientRect(), input.clientY);
        return { element: section, after, to: String(numbers(section.dataset.path)[0] + (after ? 1 : 0)) };
      },
    });
  }

  columnTarget(column) {
    return dropTargetForElements({
      element: column,
      canDrop: ({ source }) => source.data.editor === this.editor && !source.data.isSection,
      getData: () => {
        const last = [...column.querySelectorAll(":scope > .block")].pop();
        const count = last ? numbers(last.dataset.block)[2] + 1 : 0;
        return { element: last ?? column, after: Boolean(last), to: `${column.dataset.column}.${count}` };
      },
    });
  }

  blockTarget(block) {
    return dropTargetForElements({
      element: block,
      canDrop: ({ source }) => source.data.editor === this.editor && !source.data.isSection,
      getData: ({ input }) => {
        const after = isBelow(block.getBoundingClientRect(), input.clientY);
        const path = block.dataset.block;
        return { element: block, after, to: `${above(path)}.${numbers(path)[2] + (after ? 1 : 0)}` };
      },
    });
  }

  // --- while it goes on

  begin(source) {
    this.picked = source.element;
    this.picked.classList.add("is-picked");
    this.editor.classList.add("is-dragging");
  }

  over(target) {
    for (const marked of this.editor.querySelectorAll(".is-before, .is-after, .is-into")) marked.classList.remove("is-before", "is-after", "is-into");
    if (!target) return;
    const { element, after } = target.data;
    element.classList.add(element.matches(".block-column") ? "is-into" : after ? "is-after" : "is-before");
  }

  end(source, target) {
    this.over(null);
    this.picked?.classList.remove("is-picked");
    this.editor.classList.remove("is-dragging");
    const to = target && this.place(source.data.path, target.data.to);
    if (to) this.editor.run("move", { at: source.data.path, to });
  }

  /* The place once the dragged one is taken out of its own list; "" where it would stay. */
  place(from, to) {
    if (above(from) !== above(to)) return to;
    const [was, is] = [numbers(from).pop(), numbers(to).pop()];
    const number = is > was ? is - 1 : is;
    return number === was ? "" : [above(to), number].filter((part) => part !== "").join(".");
  }
}

/* What hangs at the pointer: icon and name. */
function preview(head) {
  const box = document.createElement("div");
  box.className = "block-carried";
  const icon = head.querySelector(".block-name .icon")?.cloneNode(true);
  const name = document.createElement("b");
  name.textContent = head.querySelector("strong").textContent;
  box.append(...(icon ? [icon, name] : [name]));
  return box;
}
